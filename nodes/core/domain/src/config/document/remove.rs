//! Taking one object out of a document (`mangrove delete group/200`). Whether something still needs it is
//! `validate`'s question.

use super::Document;

impl Document {
    /// Removes an object named by kind and id ("employee/anna"; extensions serve too). False when it is not there or
    /// there is no such kind: trunk, number, employee, group, scheme, conference, voicemail.
    pub fn remove(&mut self, object: &str) -> bool {
        let Some((kind, id)) = object.split_once('/') else { return false };
        match kind {
            "trunk" => drop_from(&mut self.trunks, |o| o.name == id),
            "number" => {
                let digits = id.trim_start_matches('+');
                drop_from(&mut self.numbers, |o| o.number.trim_start_matches('+') == digits)
            }
            "employee" => drop_from(&mut self.employees, |o| o.id() == id || o.extension == id),
            "group" => drop_from(&mut self.groups, |o| o.id() == id || o.extension == id),
            "scheme" => drop_from(&mut self.schemes, |o| o.name == id),
            "conference" => {
                drop_from(&mut self.conferences, |o| o.name == id || o.extension.as_deref() == Some(id))
            }
            "voicemail" => drop_from(&mut self.voicemail, |o| o.name == id),
            _ => false,
        }
    }
}

/// Drops the first that fits.
fn drop_from<T>(list: &mut Vec<T>, fits: impl Fn(&T) -> bool) -> bool {
    let found = list.iter().position(fits);
    found.map(|at| list.remove(at)).is_some()
}
