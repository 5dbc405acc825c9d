//! What a stranger or a typo gets: a clear answer, and nothing changed.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    ports,
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
};

fn options(product: &Product, sound: &Sound, called: &str) -> Options {
    Options { called: called.into(), ..Options::caller(product, sound) }
}

#[tokio::test]
async fn an_unknown_number_and_a_stranger_get_nowhere() -> Result<()> {
    let product = Product::with_company().await?;
    let sound = Sound::start(440.0)?;
    let unknown = Sipp::start(&sipp::refused(404), &options(&product, &sound, "74950000000"))?;
    unknown.succeeds(Duration::from_secs(20)).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    let stranger = Options { local: ports::address(), ..options(&product, &sound, "74951234567") };
    Sipp::start(&sipp::refused(404), &stranger)?.succeeds(Duration::from_secs(20)).await
}

#[tokio::test]
async fn a_bad_file_names_its_line_and_changes_nothing() -> Result<()> {
    let product = Product::with_company().await?;
    let before = product.api()?.get("/configuration").await?;
    let yaml = product.company()?.replace("strategy: longest-idle", "strategy: fastest");
    let error = product.apply(&yaml).unwrap_err().to_string();
    let line = yaml.lines().position(|line| line.contains("fastest")).unwrap() + 1;
    assert!(error.contains(&format!("company.yaml:{line}")), "{error}");
    assert!(
        error.contains("strategy") && error.contains("longest-idle"),
        "names the key and what is allowed: {error}"
    );
    assert_eq!(product.api()?.get("/configuration").await?, before);
    Ok(())
}

#[tokio::test]
async fn applied_twice_changes_nothing() -> Result<()> {
    let product = Product::with_company().await?;
    let before = product.api()?.get("/configuration").await?;
    let said = product.apply(&product.company()?)?;
    assert!(said.contains("nothing to change"), "{said}");
    assert_eq!(product.api()?.get("/configuration").await?, before);
    Ok(())
}
