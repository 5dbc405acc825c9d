//! The stream of live events, from the last one that the reader has seen.

use futures::{StreamExt, stream};
use mangrove_proto::{
    control::EventsRequest,
    service::{Error, LiveEvents},
};
use tokio_stream::wrappers::BroadcastStream;

use crate::{control::Control, hub};

pub(super) fn subscribe(control: &Control, request: &EventsRequest) -> Result<LiveEvents, Error> {
    let (group, tenant) = control.home(&request.tenant)?;
    control.hub().warm(&tenant, || group.shared.index());
    let index = group.shared.index();
    let after = if request.after == 0 { hub::last_event(index) } else { request.after };
    let gone = || Error::NotFound { what: format!("event {after} any more, read the live picture again") };
    let subscription = control.hub().subscribe(&tenant, after).ok_or_else(gone)?;
    // A reader that is too slow loses events: its stream ends, and it resumes from its last one.
    let live = BroadcastStream::new(subscription.live).take_while(|event| std::future::ready(event.is_ok()));
    let live = live
        .filter_map(|event| std::future::ready(event.ok()))
        .filter(move |event| std::future::ready(event.id > after));
    Ok(Box::pin(stream::iter(subscription.kept).chain(live)))
}
