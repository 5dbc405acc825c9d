//! One stream's packets, in virtual time.

use super::*;

/// Packets of 20 ms at 8 kHz: payloads are their numbers.
struct Line {
    jitter: Jitter,
    now_ms: u64,
}

impl Line {
    fn new() -> Self {
        Self { jitter: Jitter::new(Encoding::Pcma), now_ms: 1000 }
    }

    fn take(&mut self, number: u16) -> bool {
        let timestamp = u32::from(number) * 160;
        let payload = [number as u8];
        let packet = Packet { source: 1, sequence: number, timestamp, marker: false, payload: &payload };
        self.jitter.take(&packet, 160, self.now_ms * 1000)
    }

    /// What is heard in this tick, in a word; then the next tick's time has come.
    fn tick(&mut self) -> String {
        let word = match self.jitter.next(self.now_ms * 1000) {
            Next::Sound(payload) => payload[0].to_string(),
            Next::Lost { next: Some(next), .. } => format!("lost before {}", next[0]),
            Next::Lost { .. } => "lost".into(),
            Next::Silent { .. } => "silent".into(),
            Next::Nothing => "-".into(),
        };
        self.now_ms += 20;
        word
    }

    /// So many packets, in step with ticks.
    fn run(&mut self, numbers: std::ops::Range<u16>) -> Vec<String> {
        let each = numbers.map(|number| {
            self.take(number);
            self.tick()
        });
        each.collect()
    }
}

#[test]
fn two_packets_wait_and_then_each_is_heard_in_its_turn() {
    let mut line = Line::new();
    assert_eq!(line.run(0..6), ["-", "0", "1", "2", "3", "4"]);
}

#[test]
fn packets_out_of_order_are_put_in_order_and_doubles_are_heard_once() {
    let mut line = Line::new();
    line.run(0..5);
    line.take(6);
    line.take(6);
    assert_eq!(line.tick(), "4");
    line.take(5);
    assert_eq!([line.tick(), line.tick()], ["5", "6"]);
}

#[test]
fn a_lost_packet_is_made_up_and_is_too_late_then() {
    let mut line = Line::new();
    line.run(0..5);
    line.take(6);
    assert_eq!(line.tick(), "4");
    line.take(7);
    assert_eq!(line.tick(), "lost before 6");
    line.take(5);
    assert_eq!([line.tick(), line.tick()], ["6", "7"]);
}

#[test]
fn a_pause_without_loss_is_silence() {
    let mut line = Line::new();
    line.run(0..5);
    let packet = Packet { source: 1, sequence: 5, timestamp: 7 * 160, marker: true, payload: &[7] };
    line.jitter.take(&packet, 160, line.now_ms * 1000);
    let heard: Vec<String> = (0..4).map(|_| line.tick()).collect();
    assert_eq!(heard, ["4", "silent", "silent", "7"]);
}

#[test]
fn what_is_held_up_is_heard_later_and_nothing_of_it_is_lost() {
    let mut line = Line::new();
    line.run(0..10);
    assert_eq!([line.tick(), line.tick(), line.tick()], ["9", "lost", "lost"]);
    for number in 10..13 {
        line.take(number);
    }
    let heard = line.run(13..16);
    assert_eq!(heard, ["10", "11", "12"], "40 ms later than before");
}

#[test]
fn silence_follows_what_is_made_up_and_a_far_end_that_is_back_waits_anew() {
    let mut line = Line::new();
    line.run(0..5);
    let heard: Vec<String> = (0..6).map(|_| line.tick()).collect();
    assert_eq!(heard, ["4", "lost", "lost", "lost", "-", "-"]);
    assert_eq!(line.run(11..14), ["-", "11", "12"]);
}

#[test]
fn what_waits_for_nothing_is_to_be_squeezed() {
    let mut line = Line::new();
    line.run(0..5);
    for number in 5..12 {
        line.take(number);
    }
    let squeezed = (12..112).filter(|number| {
        line.take(*number);
        let squeezes = line.jitter.is_to_squeeze();
        if squeezes {
            line.jitter.next(line.now_ms * 1000);
        }
        line.tick();
        squeezes
    });
    let squeezed = squeezed.count();
    assert!((2..=4).contains(&squeezed), "{squeezed} times in two seconds");
    assert!(line.jitter.level() < 160 * 7, "{}", line.jitter.level());
}

#[test]
fn it_keeps_no_more_than_it_may() {
    let mut line = Line::new();
    for number in 0..500 {
        line.take(number);
    }
    assert!(line.jitter.level() <= 8 * MOST_MS && line.jitter.waiting.len() <= SLOTS);
    assert_eq!(line.tick(), (480_u16 as u8).to_string());
}

#[test]
fn another_source_a_jump_and_ten_late_ones_begin_anew() {
    let mut line = Line::new();
    line.run(100..110);
    let timestamp = 4_000_000_000;
    let jump = Packet { source: 1, sequence: 110, timestamp, marker: false, payload: &[1] };
    assert!(line.jitter.take(&jump, 160, line.now_ms * 1000));
    line.take(100);
    let other = Packet { source: 2, sequence: 5, timestamp: 0, marker: false, payload: &[1] };
    assert!(line.jitter.take(&other, 160, line.now_ms * 1000));
    let mut line = Line::new();
    line.run(100..150);
    let late: Vec<bool> = (110..121).map(|number| line.take(number)).collect();
    assert_eq!(late.iter().position(|is_anew| *is_anew), Some(10));
}

#[test]
fn g722_whose_timestamps_count_16_khz_is_heard_like_any_other() {
    let mut line = Line { jitter: Jitter::new(Encoding::G722), now_ms: 1000 };
    let heard: Vec<String> = (0..20_u16)
        .filter(|number| *number != 10)
        .map(|number| {
            let (timestamp, payload) = (u32::from(number) * 320, [number as u8]);
            let packet = Packet { source: 1, sequence: number, timestamp, marker: false, payload: &payload };
            line.now_ms = 1000 + u64::from(number) * 20;
            line.jitter.take(&packet, 160, line.now_ms * 1000);
            line.tick()
        })
        .collect();
    let before: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    assert_eq!((&*heard[0], &heard[1..10]), ("-", &before[..]), "{heard:?}");
    assert!(heard.iter().all(|word| word != "silent"), "{heard:?}");
    assert!(line.jitter.level() <= 320, "two packets wait at most, as they should: {}", line.jitter.level());
}
