//! Where recordings lie: sealed with master keys they are nobody's to hear, and whole for their owner; while the store is away
//! they wait on the node's disk, over its end too.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mangrove_tests::{
    people::ANNA,
    product::{Options, Product},
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

const CALLER: f64 = 440.0;
const OBJECTS: &str = "[objects]\nkeys = \"masters\"\n";
/// Base64 of 32 bytes each.
const OLD: &str = "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const NEW: &str = "new Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=\n";

/// A node that seals under these master keys.
async fn sealing(masters: &str) -> Result<Product> {
    let mut product = Product::unstarted(Options { more: OBJECTS, ..Options::default() })?;
    std::fs::write(product.folder().join("masters"), masters)?;
    product.revive().await?;
    product.apply(&product.company()?)?;
    Ok(product)
}

/// All files under a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// Files of recordings, by the end of their names.
fn recordings(product: &Product, end: &str) -> Result<Vec<PathBuf>> {
    let all = files(&product.folder().join("data/objects/recordings"))?;
    Ok(all.into_iter().filter(|path| path.to_string_lossy().ends_with(end)).collect())
}

/// Whether a file holds sound that can be heard: a tone repeats, and what is sealed never does.
fn is_sound(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") || bytes.windows(32).any(|window| window.iter().all(|byte| *byte == 0))
}

/// A talk of both sides' tones, longer than a part; looks at the parts meanwhile.
async fn talk(product: &Product) -> Result<()> {
    let api = product.api()?;
    let anna = ANNA.phone(product).await?;
    ANNA.available(product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;
    let part = wait::until("a part on the disk", async || {
        recordings(product, ".pcm.sealed").ok().and_then(|parts| parts.into_iter().next())
    });
    let part = std::fs::read(part.await?)?;
    assert!(!is_sound(&part), "a part is sealed, too");
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    api.cdrs(1).await?;
    Ok(())
}

async fn is_right(product: &Product) -> Result<()> {
    let api = product.api()?;
    let record = &api.cdrs(1).await?[0];
    // Its parts are joined after the call.
    let recording = wait::until("the recording", async || Recording::of(&api, record).await.ok()).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller is left");
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "the agent is right");
    Ok(())
}

#[tokio::test]
async fn recordings_lie_sealed_and_are_played_by_who_may() -> Result<()> {
    let mut product = sealing(OLD).await?;
    talk(&product).await?;
    is_right(&product).await?;
    let lies = recordings(&product, "")?;
    assert_eq!(lies.len(), 2, "the file and its key: {lies:?}");
    for path in &lies {
        assert!(!is_sound(&std::fs::read(path)?), "{}", path.display());
    }

    // A new master key, then without the old one.
    let masters = product.folder().join("masters");
    std::fs::write(&masters, [OLD, NEW].concat())?;
    let done = product.ask(&["recordings", "rewrap"])?;
    assert_eq!((done["rewrapped"].as_u64(), done["failed"].as_array().map(Vec::len)), (Some(1), Some(0)));
    std::fs::write(&masters, NEW)?;
    product.kill()?;
    product.revive().await?;
    is_right(&product).await?;

    // Without any that opens it, it is refused with what is missing.
    std::fs::write(&masters, OLD)?;
    product.kill()?;
    product.revive().await?;
    let api = product.api()?;
    let record = &api.cdrs(1).await?[0];
    let (call, id) = (record["call"].as_str(), record["recordings"][0]["id"].as_str());
    let path = format!("/recordings/{}/{}", call.context("no call")?, id.context("no recording")?);
    let said = format!("{:#}", api.bytes(&path).await.map(drop).err().context("it was sent all the same")?);
    assert!(said.contains("500"), "{said}");
    Ok(())
}

/// How clear a tone is on a side where it is clearest. Opus makes something of a tone that is not it.
fn most(recording: &Recording, side: Side, hertz: f64) -> f64 {
    recording.levels(side, hertz).into_iter().fold(0.0, f64::max)
}

#[tokio::test]
async fn recordings_are_opus_where_a_group_wants_it_and_sealed_as_all_are() -> Result<()> {
    let product = sealing(OLD).await?;
    let wanted = "wrap_up: 5s\n    recorded_as: {format: opus}";
    product.apply(&product.company()?.replace("wrap_up: 5s", wanted))?;
    talk(&product).await?;
    let api = product.api()?;
    let record = &api.cdrs(1).await?[0];
    let recording = wait::until("the recording", async || Recording::of(&api, record).await.ok()).await?;
    let found = &record["recordings"][0];
    assert_eq!((found["format"].as_str(), found.get("channels")), (Some("opus"), None), "{record}");
    let length_ms = (recording.seconds() * 1000.0) as u64;
    assert!(
        found["duration_ms"].as_u64().is_some_and(|ms| ms.abs_diff(length_ms) <= 1),
        "{length_ms}: {record}"
    );
    assert!(found["bytes"].as_u64().is_some_and(|bytes| bytes < length_ms * 8), "a quarter of WAV: {record}");
    for (side, own, other) in [(Side::Left, CALLER, ANNA.hertz), (Side::Right, ANNA.hertz, CALLER)] {
        let levels = [own, other].map(|hertz| most(&recording, side, hertz));
        assert!(levels[0] > 0.7 && levels[1] < 0.1, "{side:?}: {levels:?}");
    }
    let lies = recordings(&product, "")?;
    assert_eq!(lies.len(), 2, "the file and its key: {lies:?}");
    assert_eq!(recordings(&product, "-1.opus.sealed")?.len(), 1, "{lies:?}");
    Ok(())
}

/// The object store takes no recordings, whatever it is asked.
fn goes_away(product: &Product) -> Result<()> {
    let place = product.folder().join("data/objects/recordings");
    anyhow::ensure!(!place.exists(), "nothing was recorded yet");
    // No folder can be made where a file is.
    std::fs::write(place, [])?;
    Ok(())
}

fn comes_back(product: &Product) -> Result<()> {
    Ok(std::fs::remove_file(product.folder().join("data/objects/recordings"))?)
}

fn waiting_pieces(product: &Product) -> usize {
    let all = files(&product.folder().join("data/spool")).unwrap_or_default();
    all.iter().filter(|path| path.extension().is_some_and(|extension| extension == "piece")).count()
}

#[tokio::test]
async fn what_was_said_while_the_store_was_away_outlives_the_node_and_is_written_when_it_is_back()
-> Result<()> {
    let mut product = sealing(OLD).await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    goes_away(&product)?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;
    // Eight seconds of the talk.
    wait::until("eight parts that wait", async || (waiting_pieces(&product) >= 8).then_some(())).await?;
    let nodes = wait::until("an alarm", async || {
        let nodes = product.ask(&["nodes"]).ok()?.to_string();
        nodes.contains("on this node's disk").then_some(nodes)
    });
    assert!(nodes.await?.contains("can't be written"));

    let away = Instant::now();
    product.kill()?;
    product.revive().await?;
    sound.forget();
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    let away_ms = away.elapsed().as_millis() as u64;
    comes_back(&product)?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    let figure = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    let (talk, found) = (figure(&record["talk_ms"]), &record["recordings"][0]);
    assert!(figure(&found["duration_ms"]).abs_diff(talk) < 1_000, "{record}");
    // The last part, which was no part yet, and the node's absence.
    assert!(figure(&found["missing_ms"]) <= away_ms + 3_000, "away for {away_ms} ms: {record}");
    let recording = Recording::of(&api, record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller is left");
    wait::until("nothing to wait", async || (waiting_pieces(&product) == 0).then_some(())).await
}

/// How often the caller is heard without a break.
fn heard(recording: &Recording) -> usize {
    let levels = recording.levels(Side::Left, CALLER);
    let is_heard: Vec<bool> = levels.into_iter().map(|level| level > 0.5).collect();
    is_heard.chunk_by(|one, next| one == next).filter(|run| run[0]).count()
}

#[tokio::test]
async fn a_node_that_dies_twice_in_one_outage_leaves_each_silence_where_it_was() -> Result<()> {
    let mut product = sealing(OLD).await?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    goes_away(&product)?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    for _ in 0..2 {
        let before = waiting_pieces(&product);
        let more = async || (waiting_pieces(&product) >= before + 3).then_some(());
        wait::until("parts that wait", more).await?;
        product.kill()?;
        product.revive().await?;
        sound.forget();
        sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    }
    comes_back(&product)?;
    // Meanwhile the third run records, too.
    wait::until("nothing to wait", async || (waiting_pieces(&product) == 0).then_some(())).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let record = &api.cdrs(1).await?[0];
    let recording = wait::until("the recording", async || Recording::of(&api, record).await.ok()).await?;
    assert!(heard(&recording) >= 3, "{:?} of {record}", recording.levels(Side::Left, CALLER));
    Ok(())
}
