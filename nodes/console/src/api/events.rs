//! Live events as server-sent events. A client that lost its connection resumes by `Last-Event-ID`; one that was
//! away too long gets 410 and reads the live picture again.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use mangrove_proto::{
    control::{EventsRequest, LiveEvent},
    service,
};
use serde::Deserialize;
use tokio::time::MissedTickBehavior;
use utoipa::IntoParams;

use super::{live, sight::Sight};
use crate::{
    access::{Access, Principal},
    app::App,
    body::Asked,
    metrics::OpenStream,
    refusal::Refusal,
};

/// How often a stream looks whether its session still holds: a logout ends it within this.
const RECHECK: Duration = Duration::from_secs(3);

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct EventsQuery {
    /// The last event seen (`event` of the live picture); 0 or none: from now. The header `Last-Event-ID` wins.
    after: Option<u64>,
}

/// Changes of the live picture: `call`, `agent`, `queue`, `config`, with the object's new picture as data, or
/// `{"id": …, "gone": true}`.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/events", tag = "live",
    params(("tenant" = String, Path), EventsQuery, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 410, body = Refusal)))]
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let after = last.or(query.after).unwrap_or_default();
    // The picture is taken first: whatever it misses comes as an event.
    let (picture, agents) = live::picture(&app, &access, &access.scope).await?;
    let sight = Sight::new(access.scope.clone(), &picture, agents);
    let request = EventsRequest { tenant: access.tenant.to_string(), after };
    let events = app.control.events(request).await.map_err(too_old)?;
    let stream = follow(app, access.who, sight, events.boxed());
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
    Ok(([("x-accel-buffering", "no")], Sse::new(stream).keep_alive(alive)).into_response())
}

fn too_old(error: service::Error) -> Refusal {
    match error {
        service::Error::NotFound { .. } => {
            let action = "read the live picture again and resume from its `event`";
            Refusal::new(StatusCode::GONE, "gone", "these events are no longer kept", action)
        }
        other => other.into(),
    }
}

struct Followed {
    app: Arc<App>,
    who: Principal,
    sight: Sight,
    events: BoxStream<'static, LiveEvent>,
    recheck: tokio::time::Interval,
    _open: OpenStream,
}

fn follow(
    app: Arc<App>,
    who: Principal,
    sight: Sight,
    events: BoxStream<'static, LiveEvent>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut recheck = tokio::time::interval(RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let first = Event::default().retry(Duration::from_secs(1)).comment("following");
    let followed = Followed { app, who, sight, events, recheck, _open: OpenStream::new() };
    let rest = stream::unfold(followed, |mut followed| async move {
        let event = followed.next().await?;
        Some((Ok(event), followed))
    });
    stream::once(async move { Ok(first) }).chain(rest)
}

impl Followed {
    /// None ends the stream: the session is void, the role stops, or control ended it.
    async fn next(&mut self) -> Option<Event> {
        let mut stopping = self.app.stopping.clone();
        let mut stopped = pin!(async { drop(stopping.wait_for(|stop| *stop).await) });
        loop {
            tokio::select! {
                _ = &mut stopped => return None,
                _ = self.recheck.tick() => {
                    if !holds(&self.app, &self.who).await {
                        return None;
                    }
                }
                event = self.events.next() => {
                    let event = event?;
                    if let Some(data) = self.sight.look(&event) {
                        return Some(Event::default().id(event.id.to_string()).event(&event.kind).data(data));
                    }
                }
            }
        }
    }
}

/// Whether the asker's session is still good. While control does not answer, it is.
async fn holds(app: &App, who: &Principal) -> bool {
    match who {
        Principal::Operator => true,
        Principal::Person(person) => match app.sessions.login(&person.session, app.control.as_ref()).await {
            Ok(login) => login.is_some_and(|login| {
                login.roles == person.login.roles && login.supervises == person.login.supervises
            }),
            Err(_) => true,
        },
    }
}
