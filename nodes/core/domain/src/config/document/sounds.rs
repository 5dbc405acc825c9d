//! The prompts and the music that a document names.

use super::{Document, Step, VoicemailStep};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSound {
    /// Where it is named: `schemes[0].steps[0].play`.
    pub path: String,
    /// What is played: `prompt/welcome`, `music/rain`.
    pub key: String,
}

impl Document {
    /// All of them, in the document's order.
    pub fn sounds(&self) -> Vec<NamedSound> {
        let own = self.music.iter().flat_map(|music| pieces(music, "music".to_owned()));
        let groups = self.groups.iter().enumerate().flat_map(|(at, group)| {
            let path = format!("groups[{at}]");
            let music = pieces(&group.queue.music, format!("{path}.queue.music"));
            let overflow = group
                .overflow
                .lists()
                .into_iter()
                .flat_map(|(key, steps)| prompts(steps, &format!("{path}.overflow.{key}")));
            music.into_iter().chain(overflow).collect::<Vec<_>>()
        });
        let schemes = self.schemes.iter().enumerate();
        let schemes =
            schemes.flat_map(|(at, scheme)| prompts(&scheme.steps, &format!("schemes[{at}].steps")));
        let boxes = self.voicemail.iter().enumerate().filter_map(|(at, mailbox)| {
            let greeting = mailbox.greeting.as_ref()?;
            Some(prompt(greeting, format!("voicemail[{at}].greeting")))
        });
        own.chain(groups).chain(schemes).chain(boxes).collect()
    }
}

fn pieces(music: &crate::config::Music, path: String) -> Vec<NamedSound> {
    let named =
        |piece: &std::sync::Arc<str>| NamedSound { path: path.clone(), key: format!("music/{piece}") };
    music.pieces().iter().map(named).collect()
}

fn prompts(steps: &[Step], path: &str) -> Vec<NamedSound> {
    let named = |(at, step): (usize, &Step)| match step {
        Step::Play(name) => Some(prompt(name, format!("{path}[{at}].play"))),
        Step::Voicemail(VoicemailStep { greeting: Some(greeting), .. }) => {
            Some(prompt(greeting, format!("{path}[{at}].voicemail.greeting")))
        }
        _ => None,
    };
    steps.iter().enumerate().filter_map(named).collect()
}

fn prompt(name: &str, path: String) -> NamedSound {
    NamedSound { path, key: format!("prompt/{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::fixture::{acme, document, put};

    #[test]
    fn all_are_found_where_they_are_named() {
        let mut json = acme();
        put(&mut json, "/music", json!("rain"));
        put(&mut json, "/groups/0/queue/music", json!(["rain", "piano"]));
        put(&mut json, "/groups/0/overflow/waited", json!([{"group": "200"}, {"play": "sorry"}]));
        let last = json!({"voicemail": {"box": "sales", "greeting": "closed"}});
        put(&mut json, "/groups/0/overflow/full", json!([{"voicemail": "sales"}, last]));
        put(&mut json, "/voicemail", json!([{"name": "sales", "group": "200", "greeting": "leave-a-word"}]));
        let found = document(&json).sounds();
        let found: Vec<_> = found.iter().map(|sound| (sound.path.as_str(), sound.key.as_str())).collect();
        assert_eq!(
            found,
            [
                ("music", "music/rain"),
                ("groups[0].queue.music", "music/rain"),
                ("groups[0].queue.music", "music/piano"),
                ("groups[0].overflow.waited[1].play", "prompt/sorry"),
                ("groups[0].overflow.full[1].voicemail.greeting", "prompt/closed"),
                ("schemes[0].steps[0].play", "prompt/default-greeting"),
                ("voicemail[0].greeting", "prompt/leave-a-word"),
            ]
        );
    }
}
