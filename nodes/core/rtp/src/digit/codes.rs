//! Codes among the keys that somebody presses. What may become one is held back from whoever hears the keys until it is one,
//! can't be one any more, or took too long: then it is to be said after all.

/// How long the next key of a code may take.
const NEXT_US: u64 = 2_000_000;
/// A press that is open for longer was none.
const LONGEST_US: u64 = 10_000_000;
/// Presses that may be open at once: one, and those whose ends were lost.
const OPEN: usize = 3;

/// A press by its stream and timestamp.
type Press = (u32, u32);

/// One far end's.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    known: Vec<String>,
    /// Keys that were pressed and may become one.
    held: String,
    /// When the last of them was.
    held_us: u64,
    /// The last two presses, the newest first, and whether each is held back.
    seen: [Option<(Press, bool)>; 2],
    /// Those that are not over.
    open: Vec<(char, bool)>,
}

/// What a key completes, and what is to be said to whoever hears the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<String>,
    pub say: String,
}

impl Codes {
    /// These are looked for from now on. None of them should be the beginning of another.
    pub fn set(&mut self, known: &[String]) {
        if self.known != known {
            self.known = known.to_vec();
        }
    }

    /// Whether a packet of a press is held back. `is_saying`: keys from before are still to be said.
    pub fn hold_back(&mut self, press: Press, key: char, is_saying: bool) -> bool {
        if let Some((_, holds)) = self.seen.iter().flatten().find(|(seen, _)| *seen == press) {
            return *holds;
        }
        let begins = || self.known.iter().any(|code| code.starts_with(key));
        let follows = !self.held.is_empty() || self.open.iter().any(|(_, holds)| *holds);
        let holds = is_saying || follows || begins();
        self.seen = [Some((press, holds)), self.seen[0]];
        if self.open.len() == OPEN {
            self.open.remove(0);
        }
        self.open.push((key, holds));
        holds
    }

    /// A press is over.
    pub fn pressed(&mut self, key: char, now_us: u64) -> Outcome {
        let place = self.open.iter().position(|(open, _)| *open == key);
        // Those before it never ended.
        let press = place.and_then(|place| self.open.drain(..=place).next_back());
        if !press.is_some_and(|(_, holds)| holds) {
            return Outcome::default();
        }
        self.held.push(key);
        self.held_us = now_us;
        if self.known.contains(&self.held) {
            return Outcome { code: Some(std::mem::take(&mut self.held)), say: String::new() };
        }
        let mut say = String::new();
        while !self.held.is_empty() && !self.known.iter().any(|code| code.starts_with(&self.held)) {
            say.push(self.held.remove(0));
        }
        Outcome { code: None, say }
    }

    /// Whether keys are held back that may be to be said.
    pub fn waits(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is to be said because the next key took too long.
    pub fn expire(&mut self, now_us: u64) -> String {
        let since_us = now_us.saturating_sub(self.held_us);
        if since_us >= LONGEST_US {
            self.open.clear();
        }
        let is_late = self.open.is_empty() && since_us >= NEXT_US;
        if is_late { std::mem::take(&mut self.held) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Presses keys, a second apart; what is heard at once, what is said later, and the codes.
    fn pressed(keys: &str, gap_us: u64) -> (String, String, Vec<String>) {
        let mut codes = Codes::default();
        codes.set(&["*1".into(), "*2".into(), "#77".into()]);
        let (mut heard, mut said, mut found) = (String::new(), String::new(), Vec::new());
        let mut now_us = 0;
        for (number, key) in (0_u32..).zip(keys.chars()) {
            now_us += gap_us;
            said.push_str(&codes.expire(now_us));
            let holds = codes.hold_back((1, number), key, false);
            assert_eq!(codes.hold_back((1, number), key, false), holds, "each packet of it");
            if !holds {
                heard.push(key);
            }
            let outcome = codes.pressed(key, now_us);
            said.push_str(&outcome.say);
            found.extend(outcome.code);
        }
        said.push_str(&codes.expire(now_us + NEXT_US));
        assert!(!codes.waits());
        (heard, said, found)
    }

    #[test]
    fn codes_are_heard_by_nobody_and_all_else_by_all() {
        for (keys, heard, said, codes) in [
            ("123", "123", "", vec![]),
            ("*1", "", "", vec!["*1"]),
            ("4*25", "45", "", vec!["*2"]),
            ("*3", "", "*3", vec![]),
            ("**1", "", "*", vec!["*1"]),
            ("#7*2", "", "#7", vec!["*2"]),
            ("#77", "", "", vec!["#77"]),
            ("*", "", "*", vec![]),
        ] {
            let found = pressed(keys, 300_000);
            let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
            assert_eq!(found, (heard.to_owned(), said.to_owned(), codes), "{keys}");
        }
        assert_eq!(pressed("*1", NEXT_US), ("1".into(), "*".into(), vec![]), "that took too long");
    }

    #[test]
    fn a_press_whose_end_was_lost_is_known_by_its_key() {
        let mut codes = Codes::default();
        codes.set(&["*1".into()]);
        assert!(codes.hold_back((1, 10), '*', false) && codes.hold_back((1, 20), '1', false));
        assert!(codes.hold_back((1, 10), '*', false), "a packet that comes late");
        assert_eq!(codes.pressed('*', 1), Outcome::default());
        assert_eq!(codes.pressed('1', 2).code.as_deref(), Some("*1"));
    }

    #[test]
    fn keys_wait_for_those_that_are_still_being_said() {
        let mut codes = Codes::default();
        codes.set(&["*1".into()]);
        assert!(codes.hold_back((1, 1), '5', true));
        assert_eq!(codes.pressed('5', 1).say, "5");
    }
}
