//! A company's own prompts and music: uploaded through the API and by the command, heard by its callers.

use std::{io::Cursor, time::Duration};

use anyhow::Result;
use mangrove_tests::{
    people::ANNA,
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

const CALLER: f64 = 440.0;
const GREETING: f64 = 500.0;
/// What the file of MP3 sounds like.
const MUSIC: f64 = 600.0;
const MP3: &[u8] = include_bytes!("../../sounds/600hz.mp3");

/// A file as from a studio: two channels at 44.1 kHz.
pub(crate) fn wav(hertz: f64, seconds: u32) -> Result<Vec<u8>> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec)?;
    for at in 0..seconds * spec.sample_rate {
        let angle = f64::from(at) / f64::from(spec.sample_rate) * hertz * std::f64::consts::TAU;
        for _ in 0..spec.channels {
            writer.write_sample((angle.sin() * 12_000.0) as i16)?;
        }
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

#[tokio::test]
async fn a_caller_hears_the_uploaded_greeting_and_then_the_uploaded_music() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    std::fs::write(product.folder().join("hello.wav"), wav(GREETING, 3)?)?;
    let greeting = product.ask(&["upload", "prompt/default-greeting", "hello.wav"])?;
    assert_eq!(greeting["duration_ms"], 3_000, "{greeting}");
    api.put("/sounds/music/default", MP3.to_vec()).await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(GREETING).await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    sound.hears(MUSIC).await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    product.ask(&["download", "music/default", "kept.wav"])?;
    assert_eq!(std::fs::read(product.folder().join("kept.wav"))?, api.bytes("/sounds/music/default").await?);
    product.command(&["delete", "music/default"])?;
    let left = product.ask(&["get", "sounds"])?;
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    Ok(())
}

/// What is said is the company's own here, of a tone each, so that it can be told from the music.
#[tokio::test]
async fn a_caller_in_line_is_told_the_place_and_hears_the_music_again() -> Result<()> {
    let product = Product::start().await?;
    let announced = "max_wait: 60s, announce: {every: 10s, expected_wait: false}";
    let printed = product.apply(&product.company()?.replace("max_wait: 15s", announced))?;
    assert!(!printed.contains("warning: groups"), "all of it is shipped: {printed}");
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    api.put("/sounds/prompt/you-are-next", wav(GREETING, 3)?).await?;
    api.put("/sounds/music/default", MP3.to_vec()).await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    for hertz in [MUSIC, GREETING, MUSIC] {
        sound.forget();
        let heard = async || sound.level(hertz).filter(|level| *level > 0.8);
        wait::within(Duration::from_secs(30), &format!("{hertz} Hz to be heard"), heard)
            .await
            .inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    }
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await
}
