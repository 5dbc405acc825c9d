//! Which database `database.url` means, as other nodes are told it: so much that they see when two are not one, and no secret.

use std::path::{Path, PathBuf};

use mangrove_membership::Database;
use reqwest::Url;

/// What PostgreSQL listens on where the URL does not say it.
const POSTGRES: u16 = 5432;

/// None of a URL that can't be read: opening it says why.
pub(crate) fn named(url: &str) -> Option<Database> {
    match url.strip_prefix("sqlite:") {
        Some(file) => Some(sqlite(file)),
        None => postgres(url),
    }
}

fn sqlite(file: &str) -> Database {
    let file = file.strip_prefix("//").unwrap_or(file);
    let path = canonical(Path::new(file.split('?').next().unwrap_or(file)));
    Database::Sqlite { machine: machine(), path: path.display().to_string() }
}

fn postgres(url: &str) -> Option<Database> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty()).unwrap_or("localhost").to_lowercase();
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let host = if is_here { format!("{host} on {}", machine()) } else { host };
    let name = url.path().trim_start_matches('/');
    let place = format!("{host}:{}/{name}", url.port().unwrap_or(POSTGRES));
    // A password with a slash in it that was not encoded is read as part of the name.
    (!name.contains('@')).then_some(Database::Postgres { place })
}

/// Without symbolic links, as far as it is there yet: opening it makes the rest.
fn canonical(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = whole.ancestors().find_map(|there| {
        let (real, rest) = (there.canonicalize().ok()?, whole.strip_prefix(there).ok()?);
        Some(real.components().chain(rest.components()).collect())
    });
    found.unwrap_or(whole)
}

fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default().trim().to_owned();
    told_apart(&read("/proc/sys/kernel/hostname"), &read("/etc/machine-id"))
}

/// Its name, and a hash of its id: many machines are named `localhost`, and the id is not for others (machine-id(5)).
fn told_apart(name: &str, id: &str) -> String {
    if id.is_empty() { name.to_owned() } else { format!("{name} ({:08x})", fnv_1a(id)) }
}

/// The same in every build, which the standard library's hashes need not be.
fn fnv_1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_postgres_is_its_place_without_user_and_password() {
        for (url, place) in [
            ("postgres://db/mangrove", Some("db:5432/mangrove")),
            (
                "postgresql://u:secret@DB.example:5433/mangrove?sslmode=require",
                Some("db.example:5433/mangrove"),
            ),
            ("postgres://u:se%40cret@[2001:db8::1]/m?password=secret", Some("[2001:db8::1]:5432/m")),
            ("postgres://u:12/secret@db/mangrove", None),
            ("postgres://u:se/cret@db/mangrove", None),
            ("postgres", None),
        ] {
            let expected = place.map(|place| Database::Postgres { place: place.into() });
            assert_eq!(named(url), expected, "{url}");
        }
    }

    #[test]
    fn a_postgres_of_ones_own_machine_is_not_another_machines() {
        let Some(Database::Postgres { place }) = named("postgres://localhost/mangrove") else {
            panic!("it is one")
        };
        assert!(place.starts_with("localhost on ") && place.ends_with(":5432/mangrove"), "{place}");
    }

    #[test]
    fn a_sqlite_file_is_the_same_by_every_way_to_it_before_and_after_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        let of = |folder: &Path| named(&format!("sqlite:{}/new/mangrove.db", folder.display())).unwrap();
        let before = of(&data);
        assert_eq!(of(&link), before);
        std::fs::create_dir(data.join("new")).unwrap();
        std::fs::write(data.join("new/mangrove.db"), "").unwrap();
        assert_eq!((of(&data), of(&link)), (before.clone(), before.clone()));
        let other = format!("sqlite://{}/new/mangrove.db?mode=rwc", data.display());
        assert_eq!(named(&other), Some(before.clone()));
        assert_ne!(of(folder.path()), before);
    }

    #[test]
    fn machines_of_one_name_differ_by_their_ids() {
        assert_eq!(told_apart("localhost", "a"), "localhost (e40c292c)");
        assert_ne!(told_apart("localhost", "b"), told_apart("localhost", "a"));
        assert_eq!(told_apart("pod-1", ""), "pod-1");
    }
}
