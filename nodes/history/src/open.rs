//! Opens the database and keeps its connections.

use std::{path::Path, time::Duration};

use sqlx::{
    AnyPool, SqlSafeStr as _,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use tokio::time::timeout;

use crate::{
    Error,
    sql::{Sql, bounded},
};

/// A node that starts has calls to take up again: it waits no longer for its records' sake.
const AT_START: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_secs(5);

const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "history", include_str!("../migrations/0001_history.sql"))];

/// The SQL side of the house. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct History {
    /// SQLite bears one writer: this pool then has one connection.
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
}

impl History {
    /// Opens `sqlite:FILE` (made with its folder when missing) or `postgres://…` and migrates its tables. A PostgreSQL
    /// that is away or only to be read is no reason not to start: it is migrated when it can be, and until then every
    /// statement says that it is not available. Needs a tokio runtime.
    pub async fn open(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let history = match url.strip_prefix("sqlite:") {
            Some(path) => open_sqlite(path).await?,
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                return open_postgres(url).await;
            }
            None => {
                return Err(Error::Refused {
                    what: "database url",
                    why: "it starts with `sqlite:` or `postgres://`".into(),
                });
            }
        };
        migrate(&history.writer).await.map_err(Error::Migration)?;
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
    let pool = postgres_pool(8).connect_lazy(url);
    let pool = pool.map_err(|source| Error::Unavailable { what: "connecting", source })?;
    match timeout(AT_START, migrate(&pool)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) if !may_pass(&error) => return Err(Error::Migration(error)),
        _ => {
            tracing::error!("the history database can't be used yet: records wait, calls go on without it");
            tokio::spawn(migrate_later(pool.clone()));
        }
    }
    Ok(History { writer: pool.clone(), reader: pool })
}

async fn migrate(pool: &AnyPool) -> Result<(), MigrateError> {
    migrator().run(pool).await
}

/// Until it is done, or can't be.
async fn migrate_later(pool: AnyPool) {
    loop {
        tokio::time::sleep(BETWEEN_TRIES).await;
        match migrate(&pool).await {
            Ok(()) => return tracing::info!("the history database can be used"),
            Err(error) if may_pass(&error) => {}
            Err(error) => return tracing::error!(%error, "the history tables can't be migrated"),
        }
    }
}

/// Whether it is the database that does not answer or does not write, and not what is in it.
fn may_pass(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Execute(_) | MigrateError::ExecuteMigration(..))
}

async fn connect(options: AnyPoolOptions, url: &str) -> Result<AnyPool, Error> {
    bounded("connecting", options.connect(url)).await
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(5))
}

/// A node that is cut off in the middle of a batch holds its rows, and the next leader writes the same ones: the database lets
/// go of them while whoever waits still has patience.
fn postgres_pool(connections: u32) -> AnyPoolOptions {
    pool(connections).after_connect(|connection, _| {
        Box::pin(async move {
            let silence = "SET idle_in_transaction_session_timeout = '3s'";
            sqlx::raw_sql(silence).execute(connection).await.map(drop)
        })
    })
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
