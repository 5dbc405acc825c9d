//! The same on a server that speaks S3 and checks signatures: `s3s-fs`, in this process, on a folder.

use std::net::SocketAddr;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, task::AbortHandle};

use super::*;

const ID: &str = "AKIDTEST";
const SECRET: &str = "a-secret-of-tests";

struct Server {
    folder: tempfile::TempDir,
    address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// With an empty bucket `calls`.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("calls")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ID, SECRET));
        let service = builder.build();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    // A client that goes is no failure.
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { folder, address, task: task.abort_handle() }
    }

    /// Settings with the keys in a file.
    fn settings(&self, secret: &str) -> Settings {
        let file = self.folder.path().join("keys");
        let text = format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = {secret}\n");
        std::fs::write(&file, text).unwrap();
        Settings {
            url: "s3://calls/centre".into(),
            region: Some("us-east-1".into()),
            endpoint: Some(format!("http://{}", self.address)),
            allow_http: true,
            credentials: Some(file),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn recordings_are_written_read_listed_and_deleted() {
    let server = Server::start().await;
    for masters in [None, masters(&[("a", 1)])] {
        let Opened { objects, parts } = connect(&server.settings(SECRET), masters).unwrap();
        assert!(parts.is_none(), "there is no faster way");
        let mut writer = WriteMultipart::new(objects.put_multipart(&wav()).await.unwrap());
        let all = sound(17 << 20);
        all.chunks(64_000).for_each(|piece| writer.write(piece));
        writer.finish().await.unwrap();
        assert!(read(objects.as_ref(), &wav()).await.unwrap() == all);
        let range = CHUNK as u64 - 5..CHUNK as u64 + 5;
        assert_eq!(objects.get_range(&wav(), range).await.unwrap(), all[CHUNK - 5..CHUNK + 5]);
        assert_eq!(objects.head(&wav()).await.unwrap().size, all.len() as u64);
        assert_eq!(names(objects.as_ref()).await, [wav().to_string()]);
        objects.delete(&wav()).await.unwrap();
        assert!(names(objects.as_ref()).await.is_empty());
        assert!(matches!(read(objects.as_ref(), &wav()).await, Err(StoreError::NotFound { .. })));
    }
}

/// What the writers of one recording rely on.
#[tokio::test]
async fn what_is_there_is_not_created_again() {
    let server = Server::start().await;
    for masters in [None, masters(&[("a", 1)])] {
        let objects = connect(&server.settings(SECRET), masters).unwrap().objects;
        assert!(creates_only_once(objects.as_ref()).await.unwrap());
        for path in [Path::from("recordings-open/acme/1.json"), format!("{}.part/000001.pcm", wav()).into()] {
            objects.put_opts(&path, vec![1; 9].into(), PutMode::Create.into()).await.unwrap();
            let again = objects.put_opts(&path, vec![2; 9].into(), PutMode::Create.into()).await;
            assert!(matches!(again, Err(StoreError::AlreadyExists { .. })), "{again:?}");
            assert_eq!(read(objects.as_ref(), &path).await.unwrap(), [1; 9]);
            objects.delete(&path).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_or_is_away_is_an_error_that_shows_no_key() {
    let server = Server::start().await;
    let objects = connect(&server.settings("wrong"), None).unwrap().objects;
    let said = read(objects.as_ref(), &wav()).await.unwrap_err().to_string();
    assert!(said.contains("refuses this node") && !said.contains(ID), "{said}");
    let right = connect(&server.settings(SECRET), None).unwrap().objects;
    let settings = Settings { allow_http: false, ..server.settings(SECRET) };
    let plain = connect(&settings, None).unwrap().objects;
    assert!(plain.put(&wav(), sound(4).into()).await.is_err(), "http was not allowed");
    drop(server);
    let said = right.put(&wav(), sound(4).into()).await.unwrap_err().to_string();
    assert!(!said.contains(SECRET) && !said.contains(ID), "{said}");
}
