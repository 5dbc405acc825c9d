//! Opens the database and keeps its connections.

use std::{path::Path, time::Duration};

use sqlx::{
    AnyPool, SqlSafeStr as _,
    any::AnyPoolOptions,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{
    Error,
    sql::{Sql, bounded},
};

const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "history", include_str!("../migrations/0001_history.sql"))];

/// The SQL side of the house. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct History {
    /// SQLite bears one writer: this pool then has one connection.
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
}

impl History {
    /// Opens `sqlite:FILE` (made with its folder when missing) or `postgres://…` and migrates its tables.
    pub async fn open(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let history = match url.strip_prefix("sqlite:") {
            Some(path) => open_sqlite(path).await?,
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                open_postgres(url).await?
            }
            None => {
                return Err(Error::Refused {
                    what: "database url",
                    why: "it starts with `sqlite:` or `postgres://`".into(),
                });
            }
        };
        migrator().run(&history.writer).await.map_err(Error::Migration)?;
        Ok(history)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        Sql::new("SELECT 1").rows(&self.reader, "ping").await.map(drop)
    }

    /// Ends all connections, after the statements under way.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reader.close().await;
    }
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

async fn open_sqlite(path: &str) -> Result<History, Error> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let file = path.split('?').next().unwrap_or(path);
    if file.is_empty() || file.contains(":memory:") {
        return Err(Error::Refused {
            what: "database url",
            why: "sqlite needs a file: `sqlite:data/mangrove.db`".into(),
        });
    }
    if let Some(folder) = Path::new(file).parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::Refused {
            what: "database url",
            why: format!("its folder {} can't be made: {e}", folder.display()),
        })?;
    }
    let url = if path.contains('?') { format!("sqlite:{path}") } else { format!("sqlite:{path}?mode=rwc") };
    let writer = connect(sqlite_pool(1), &url).await?;
    let reader = connect(sqlite_pool(4), &url).await?;
    Ok(History { writer, reader })
}

async fn open_postgres(url: &str) -> Result<History, Error> {
    let pool = connect(pool(8), url).await?;
    Ok(History { writer: pool.clone(), reader: pool })
}

async fn connect(options: AnyPoolOptions, url: &str) -> Result<AnyPool, Error> {
    bounded("connecting", options.connect(url)).await
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(5))
}

/// WAL lets readers read while the writer writes. `FULL`: a record that was acknowledged survives a power cut,
/// because control forgets it then.
fn sqlite_pool(connections: u32) -> AnyPoolOptions {
    pool(connections).after_connect(|connection, _| {
        Box::pin(async move {
            let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;";
            sqlx::raw_sql(pragmas).execute(connection).await.map(drop)
        })
    })
}
