//! The report as a page.

use std::fmt::Write;

use super::{Report, Share, Spread};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2430;background:#fff}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}\
td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#b3261e;font-weight:600}.good{color:#1a7f4b;font-weight:600}\
svg{display:block;margin:.5rem 0}rect{fill:#3a7bd5}@media(prefers-color-scheme:dark){body{color:#dde3ea;background:#12161c}}";

pub(super) fn page(report: &Report) -> String {
    let mut body = String::new();
    let (class, word) =
        if report.is_clean() { ("good", "all as it should be") } else { ("bad", "not all as it should be") };
    let name = escape(&report.profile.name);
    // Writing into a String can't fail.
    let _ = write!(body, "<h1>Load test: {name}</h1><p class=\"{class}\">{word}</p>");
    body.push_str(&outcomes(report));
    body.push_str(&spread("Set-up: INVITE to the first answer, ms", &report.setup));
    body.push_str(&spread("Answer: INVITE to an agent's answer, ms", &report.answer));
    body.push_str(&spread("Silence: the longest in each talk, either side, ms", &report.gap));
    body.push_str(&sound(report));
    body.push_str(&records(report));
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Load test: {name}</title><style>{STYLE}</style><body>{body}</body></html>"
    )
}

fn outcomes(report: &Report) -> String {
    let rows = [
        ("Calls", report.calls, false),
        ("Talked to an agent", report.talked, false),
        ("Gave up waiting", report.gave_up, false),
        ("Turned away by the scheme", report.turned, !report.profile.turns_away),
        ("Refused", report.refused, true),
        ("Dropped", report.dropped, true),
        ("Unfinished", report.unfinished, true),
    ];
    let row = |(name, count, bad): (&str, usize, bool)| {
        let class = if bad && count > 0 { "n bad" } else { "n" };
        let bar = 400 * count / report.calls.max(1);
        format!(
            "<tr><td>{name}</td><td class=\"{class}\">{count}</td><td><svg width=\"400\" height=\"10\"><rect width=\"{bar}\" height=\"10\"/></svg></td></tr>"
        )
    };
    format!("<h2>Outcomes</h2><table>{}</table>", rows.into_iter().map(row).collect::<String>())
}

fn spread(title: &str, spread: &Spread) -> String {
    let highest = spread.histogram.iter().copied().max().unwrap_or(0).max(1);
    let bar = |(at, count): (usize, &usize)| {
        let height = 100 * count / highest;
        format!(
            "<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"{height}\"><title>{count}</title></rect>",
            at * 16,
            100 - height
        )
    };
    let bars: String = spread.histogram.iter().enumerate().map(bar).collect();
    let Spread { count, p50, p95, p99, max, .. } = spread;
    format!(
        "<h2>{title}</h2><p>{count} calls: p50 {p50}, p95 {p95}, p99 {p99}, max {max}</p>\
         <svg width=\"480\" height=\"100\" role=\"img\" aria-label=\"{title}, 0 to {max}\">{bars}</svg>"
    )
}

fn sound(report: &Report) -> String {
    let heard = |share: Share| {
        let class = if report.all_heard(share) { "good" } else { "bad" };
        format!("<span class=\"{class}\">{} of {}</span>", share.yes, share.of)
    };
    format!(
        "<h2>Sound</h2><p>{} packets sent, {} received, {} lost. Callers heard their agent: {}. Agents heard their caller: {}.</p>",
        report.packets_sent,
        report.packets_received,
        report.packets_lost,
        heard(report.caller_heard_agent),
        heard(report.agent_heard_caller)
    )
}

fn records(report: &Report) -> String {
    let Some(differences) = &report.differences else { return String::new() };
    let mut text = format!("<h2>Call records</h2><p>{} calls compared.</p><ul>", differences.compared);
    for (name, list) in differences.kinds() {
        let class = if list.is_empty() { "good" } else { "bad" };
        // Writing into a String can't fail.
        let _ = write!(
            text,
            "<li>{name}: <span class=\"{class}\">{}</span> {}</li>",
            list.len(),
            escape(&list.join(", "))
        );
    }
    text + "</ul>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
