//! `mangrove loadtest`: applies a company of its own, calls it, shows how it goes, compares its own account with the
//! product's records, listens to some recordings, and writes a report.

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use mangrove_loadtest::{
    Profile, Report, Swarm, Target, company,
    compare::{self, Differences},
    ledger::{Ledger, Offer},
    recording,
};
use serde_json::Value;

use super::Session;
use crate::{
    arguments::{Format, Loadtest},
    output,
};

/// How long calls may go on after the last arrival.
const LAST_CALLS: Duration = Duration::from_secs(180);
/// How long records may take to reach the database.
const RECORDS: Duration = Duration::from_secs(20);
/// Recordings that are fetched and listened to.
const LISTENED: usize = 10;
/// Records a page.
const PAGE: &str = "500";

pub(crate) async fn loadtest(session: &Session, options: &Loadtest) -> Result<()> {
    let profile = profile(options)?;
    let carrier = carrier(options.sip)?;
    let (document, agents) = company::document(options.agents, carrier, 1);
    let answer = session.client.configure(company::TENANT, &document, false).await?;
    let problems = answer["problems"].as_array().map(Vec::len).unwrap_or_default();
    ensure!(problems == 0, "the load test's company was refused: {}", answer["problems"]);
    let (domain, called) = (company::DOMAIN.to_owned(), company::NUMBER.to_owned());
    let began = session.newest_record().await?;
    let target = Target { server: options.sip, carrier, domain, called, agents };
    let swarm = Swarm::start(profile.clone(), target).await?;
    watch(&swarm, &profile, session.arguments.output).await;
    let differences = session.differences(swarm.ledger(), began.as_deref()).await?;
    let report = Report::of(profile, swarm.ledger(), Some(differences));
    finish(session, options, &report)
}

fn profile(options: &Loadtest) -> Result<Profile> {
    let mut profile = match &options.profile {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
            serde_json::from_slice(&text).with_context(|| format!("{} is no profile", file.display()))?
        }
        None => Profile::default(),
    };
    profile.calls_per_second = options.rate.unwrap_or(profile.calls_per_second);
    profile.seconds = options.seconds.unwrap_or(profile.seconds);
    ensure!(
        !profile.sound || profile.talk.0 >= 2.0,
        "talks of {} s are too short to hear a tone in; allowed: 2 s or more, or sound: false",
        profile.talk.0
    );
    ensure!(profile.seconds > 0, "a load test needs an end: seconds is 0; allowed: 1 or more");
    ensure!(profile.calls_per_second > 0.0, "the rate is {}; allowed: more than 0", profile.calls_per_second);
    Ok(profile)
}

/// A free address of ours on the way to the node.
fn carrier(node: SocketAddr) -> Result<SocketAddr> {
    let any = if node.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let ask = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(node)?;
        socket.local_addr()
    };
    ask().with_context(|| format!("there is no way to {node}"))
}

/// Shows the calls as they come, until the last has ended.
async fn watch(swarm: &Swarm, profile: &Profile, format: Format) {
    let bar = if format == Format::Json { ProgressBar::hidden() } else { ProgressBar::new(profile.seconds) };
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = swarm.finish(Duration::from_secs(profile.seconds) + LAST_CALLS);
    tokio::pin!(done);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            () = &mut done => break,
            _ = tick.tick() => {
                let t = swarm.ledger().tally();
                bar.set_position(bar.elapsed().as_secs().min(profile.seconds));
                bar.set_message(format!("{} calls, {} on the line, {} talked, {} gave up, {} failed", t.calls, t.live, t.talked, t.gave_up, t.failed));
            }
        }
    }
    bar.finish();
}

impl Session {
    /// The newest record before the run: what comes after it is ours.
    async fn newest_record(&self) -> Result<Option<String>> {
        let page = self.client.get_with(&["tenants", company::TENANT, "cdrs"], &[("limit", "1")]).await?;
        Ok(page["items"][0]["call"].as_str().map(str::to_owned))
    }

    /// Waits until every call has its record, then compares.
    async fn differences(&self, ledger: &Ledger, began: Option<&str>) -> Result<Differences> {
        let until = tokio::time::Instant::now() + RECORDS;
        loop {
            let records = self.records(began).await?;
            let mut differences = compare::compare(&ledger.calls(), &ledger.offers(), &records, true);
            if differences.is_empty() || tokio::time::Instant::now() >= until {
                differences.unheard = self.unheard(&ledger.offers(), &records).await?;
                return Ok(differences);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Listens to some of the recordings: what is wrong with them.
    async fn unheard(&self, offers: &[Offer], records: &[Value]) -> Result<Vec<String>> {
        let mut unheard = Vec::new();
        let recorded = records.iter().filter(|record| !record["recordings"][0].is_null());
        for record in recorded.take(LISTENED) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let caller = text(&record["caller"]);
            let caller = caller.trim_start_matches('+');
            let Some(offer) = offers.iter().find(|o| o.caller == caller && o.answered_at.is_some()) else {
                continue;
            };
            let (call, id) = (text(&record["call"]), text(&record["recordings"][0]["id"]));
            let path = ["tenants", company::TENANT, "recordings", &call, &id];
            if let Err(why) = recording::check(&self.client.file(&path).await?, offer) {
                unheard.push(format!("{caller}: {why}"));
            }
        }
        Ok(unheard)
    }

    /// Records of this run, newest first.
    async fn records(&self, began: Option<&str>) -> Result<Vec<Value>> {
        let (mut records, mut after) = (Vec::new(), None);
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page = self.client.get_with(&["tenants", company::TENANT, "cdrs"], &query).await?;
            let items = page["items"].as_array().context("the records are no list")?;
            for item in items {
                if began.is_some() && item["call"].as_str() == began {
                    return Ok(records);
                }
                records.push(item.clone());
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                return Ok(records);
            }
        }
    }
}

fn finish(session: &Session, options: &Loadtest, report: &Report) -> Result<()> {
    let json = serde_json::to_value(report)?;
    let (page, data) = (options.report.with_extension("html"), options.report.with_extension("json"));
    write(&page, report.html().as_bytes())?;
    write(&data, format!("{json:#}\n").as_bytes())?;
    output::show(session.arguments.output, &json, || {
        format!("report: {} and {}\n", page.display(), data.display())
    })?;
    if !report.is_clean() {
        let wrong = report.complaints().join("\n  ");
        bail!("not every side experienced what it should: see {}\n  {wrong}", page.display());
    }
    Ok(())
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(file, content).with_context(|| format!("can't write {}", file.display()))
}
