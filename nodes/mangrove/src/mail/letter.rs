//! What is written: who has left a message, and its sound as a WAV file of one channel.

use std::{
    io::Cursor,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, anyhow};
use lettre::{
    Message,
    message::{
        Attachment, Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType},
    },
};
use mangrove_domain::mailbox::Errand;

/// What is to be said of one message.
#[derive(Debug)]
pub(super) struct Letter<'a> {
    pub(super) errand: &'a Errand,
    pub(super) to: &'a str,
    /// The company's.
    pub(super) language: &'a str,
    /// None: it is too long.
    pub(super) sound: Option<Vec<u8>>,
}

impl Letter<'_> {
    /// As it goes to the server. Written again it has the same Message-ID.
    pub(super) fn write(&self, from: &Mailbox) -> Result<Message> {
        let Errand { tenant, place, message } = self.errand;
        let to = self.to.parse::<Mailbox>().with_context(|| format!("`{}` is no address", self.to))?;
        let left = SystemTime::UNIX_EPOCH + Duration::from_millis(message.at);
        let id =
            format!("<{}.{}.{}.{tenant}@{}>", message.at, place.number, place.mailbox, from.email.domain());
        let (subject, text) = self.words();
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text));
        if let Some(sound) = &self.sound {
            let name = format!("{}-{}.wav", place.mailbox, place.number);
            // Left to itself the library may take sound for text.
            let body = Body::new_with_encoding(sound.clone(), ContentTransferEncoding::Base64);
            let body = body.map_err(|_| anyhow!("the sound can't be encoded"))?;
            parts = parts.singlepart(Attachment::new(name).body(body, ContentType::parse("audio/wav")?));
        }
        let builder = Message::builder().from(from.clone()).to(to).subject(subject).date(left);
        Ok(builder.message_id(Some(id)).multipart(parts)?)
    }

    fn words(&self) -> (String, String) {
        let message = &self.errand.message;
        // It comes from outside.
        let caller: String = message.caller.chars().filter(|c| !c.is_control()).collect();
        let seconds = message.duration_ms / 1000;
        let length = format!("{}:{:02}", seconds / 60, seconds % 60);
        let mailbox = &self.errand.place.mailbox;
        let is_attached = self.sound.is_some();
        match self.language {
            "ru" => {
                let sound = if is_attached {
                    "Запись во вложении."
                } else {
                    "Запись слишком длинная для письма."
                };
                let text = format!("{caller} оставил(а) сообщение ({length}) в ящике {mailbox}.\n{sound}\n");
                (format!("Голосовое сообщение от {caller}"), text)
            }
            _ => {
                let sound =
                    if is_attached { "Its sound is attached." } else { "It is too long to be attached." };
                let text = format!("{caller} has left a message ({length}) in the box {mailbox}.\n{sound}\n");
                (format!("Voicemail from {caller}"), text)
            }
        }
    }
}

/// The caller's side of a recording: the other one is silence.
pub(super) fn alone(recording: &[u8]) -> Result<Vec<u8>> {
    let mut reader = hound::WavReader::new(recording)?;
    let spec = reader.spec();
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, hound::WavSpec { channels: 1, ..spec })?;
    for sample in reader.samples::<i16>().step_by(usize::from(spec.channels).max(1)) {
        writer.write_sample(sample?)?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::sync::Arc;

    use mangrove_domain::mailbox::{Message, Place};
    use mangrove_proto::id::CallId;

    use super::*;

    pub(in crate::mail) fn errand(number: u64) -> Errand {
        let message = Message {
            call: CallId(7),
            caller: "79161112233".into(),
            at: 1_795_000_000_000,
            recording: "rec".into(),
            object: "recordings/acme/1.wav".into(),
            duration_ms: 62_000,
            sha256: Some("ab".into()),
            heard: false,
            mail_due: true,
            deleted: false,
        };
        let place = Place { mailbox: "sales".into(), number };
        Errand { tenant: "acme".into(), place, message: Arc::new(message) }
    }

    fn written(language: &str, sound: Option<Vec<u8>>) -> String {
        let errand = errand(3);
        let letter = Letter { errand: &errand, to: "sales@acme.example", language, sound };
        let from = "Mangrove <mangrove@acme.example>".parse().unwrap();
        String::from_utf8(letter.write(&from).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_letter_says_who_has_left_what_and_carries_its_sound() {
        let text = written("en", Some(vec![0xff, 0xfe, 0xfd]));
        for part in [
            "To: sales@acme.example",
            "Subject: Voicemail from 79161112233",
            "Message-ID: <1795000000000.3.sales.acme@acme.example>",
            "(1:02) in the box sales",
            "audio/wav",
            "sales-3.wav",
            "//79",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let without = written("en", None);
        assert!(without.contains("too long") && !without.contains("audio/wav"), "{without}");
        assert!(written("ru", None).contains("Subject: =?utf-8?b?"), "words of the company's language");
    }

    #[test]
    fn callers_put_nothing_into_the_head() {
        let mut errand = errand(1);
        Arc::make_mut(&mut errand.message).caller = "1\r\nBcc: all@acme.example".into();
        let letter = Letter { errand: &errand, to: "sales@acme.example", language: "en", sound: None };
        let from = "mangrove@acme.example".parse().unwrap();
        let text = String::from_utf8(letter.write(&from).unwrap().formatted()).unwrap();
        assert!(!text.contains("\r\nBcc:"), "{text}");
    }

    #[test]
    fn the_callers_side_is_kept_alone() {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        for sample in [1_i16, 0, 2, 0, 3, 0] {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        let sound = alone(&file.into_inner()).unwrap();
        let mut reader = hound::WavReader::new(&sound[..]).unwrap();
        assert_eq!(reader.spec().channels, 1);
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(alone(b"no sound").is_err());
    }
}
