//! Digits by INFO, as phones without RFC 4733 send them: `application/dtmf-relay` and `application/dtmf`. And candidates that
//! browsers find late (RFC 8840): they are of no use to us, for it is the browser who asks. Others are answered as ever.

use super::asked::Asked;
use super::turn::Turn;
use super::{Fact, Leg};
use crate::Message;

/// Taken when the sender names no duration.
const USUAL_MS: u32 = 160;
/// What trickles in.
const CANDIDATES: &str = "application/trickle-ice-sdpfrag";
const ACCEPTED: &str = "application/dtmf-relay, application/dtmf";

impl Leg {
    /// INFO: a digit, or nothing we know.
    pub(super) fn informed(&mut self, request: &Message, asked: Asked, turn: &mut Turn<'_, '_>) {
        if request.body().is_empty() {
            return self.reply_status(asked, 200, turn);
        }
        let body = String::from_utf8_lossy(request.body());
        let kind = request.content_type().unwrap_or_default().to_ascii_lowercase();
        let press = match kind.as_str() {
            CANDIDATES if self.is_with_browser() => return self.reply_status(asked, 200, turn),
            "application/dtmf-relay" => relay(&body),
            "application/dtmf" => digit(&body).map(|digit| (digit, USUAL_MS)),
            _ => {
                let message = asked.response(415).with("Accept", ACCEPTED);
                return self.reply(asked, message, turn);
            }
        };
        self.reply_status(asked, if press.is_some() { 200 } else { 400 }, turn);
        if let Some((digit, duration_ms)) = press {
            self.fact(turn, Fact::Digit { digit, duration_ms });
        }
    }
}

/// `Signal=5` and `Duration=160` on lines of their own.
fn relay(body: &str) -> Option<(char, u32)> {
    let value = |name: &str| {
        let mut pairs = body.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let duration = value("Duration").and_then(|text| text.parse().ok()).unwrap_or(USUAL_MS);
    Some((digit(value("Signal")?)?, duration))
}

/// One digit; some phones write 10 and 11 for star and hash.
fn digit(text: &str) -> Option<char> {
    let text = text.trim();
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut letters = text.chars().map(|letter| letter.to_ascii_uppercase());
    let digit = letters.next().filter(|letter| "0123456789*#ABCD".contains(*letter))?;
    letters.next().is_none().then_some(digit)
}
