use super::*;
use crate::configuration::Tls;

fn with_own(folder: &Path, public: Option<&str>) -> Configuration {
    let mut configuration = Configuration { data_dir: folder.to_owned(), ..Configuration::default() };
    configuration.http.tls = Some(Tls::default());
    configuration.http.public = public.map(|public| public.parse().unwrap());
    configuration
}

#[tokio::test]
async fn a_nodes_own_certificate_stays_until_it_must_hold_for_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let made = |public| {
        assert!(open(&with_own(folder.path(), public)).unwrap().is_some());
        fs::read(own::file(folder.path())).unwrap()
    };
    let first = made(None);
    assert_eq!(made(None), first);
    let named = made(Some("https://desk.example:8443"));
    assert_ne!(named, first);
    assert_eq!(
        (made(Some("https://desk.example")), made(None)),
        (named.clone(), named),
        "it holds for all of them"
    );
}

#[test]
fn commands_believe_the_nodes_own_certificate_and_a_named_authority() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("none.pem");
    assert!(believed(folder.path(), Some(&nothing)).unwrap_err().to_string().contains("none.pem"));
    own::find_or_make(&with_own(folder.path(), None)).unwrap();
    let own = own::file(folder.path());
    assert_eq!(believed(folder.path(), Some(&own)).unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn files_are_read_again_when_they_change_and_bad_ones_left() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [one, another] = [&folder, &other].map(|f| own::find_or_make(&with_own(f.path(), None)).unwrap());
    let mut configuration = with_own(folder.path(), None);
    configuration.http.tls = Some(Tls { cert: Some(one.cert.clone()), key: Some(one.key.clone()) });
    let mut certificate = open(&configuration).unwrap().unwrap();
    // The key alone does not fit: the old certificate stays.
    fs::copy(&another.key, &one.key).unwrap();
    tokio::time::sleep(LOOK * 5).await;
    assert!(!certificate.has_changed().unwrap());
    fs::copy(&another.cert, &one.cert).unwrap();
    certificate.changed().await.unwrap();
    fs::write(&one.cert, "no certificate").unwrap();
    assert!(format!("{:#}", open(&configuration).unwrap_err()).contains("http.tls can't be used"));
}
