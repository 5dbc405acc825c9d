//! The message lamp (RFC 3842): an employee's phones are told how many messages wait in the boxes that are theirs, with each
//! change, and each of them whenever it registers. Nobody has subscribed to it: that is how phones are told by default, and
//! who does not know what it is answers so and nothing comes of it. It is not repeated: the next REGISTER tells the same.

use std::sync::Arc;

use mangrove_proto::id::EmployeeId;
use mangrove_sip::{Message, Method, NameAddr, Uri, registrar::Binding, ua::Outgoing};

use crate::{config::Owner, effect::ObjectRef, line, mailbox::Messages, scene::Scene};

/// Whoever owns this box is shown what is in it.
pub(crate) fn show_owner(mailbox: &Arc<str>, scene: &mut Scene<'_>) {
    let owner = scene.tenant.config.voicemail.get(mailbox).map(|mailbox| mailbox.owner.clone());
    if let Some(Owner::Employee(employee)) = owner {
        tell(&employee, |_| true, scene);
    }
}

/// A phone of an employee's has registered by this request: the others know.
pub(crate) fn show_newcomer(employee: &EmployeeId, request: &Message, scene: &mut Scene<'_>) {
    let registration = request.call_id().unwrap_or_default();
    tell(employee, |binding| binding.call_id == registration, scene);
}

/// Tells those phones of an employee who has a box.
fn tell(employee: &EmployeeId, is_meant: impl Fn(&Binding) -> bool, scene: &mut Scene<'_>) {
    let Some(summary) = summary(employee, scene) else { return };
    let Some(agent) = scene.tenant.agent(employee) else { return };
    let live = agent.phones.values().flat_map(|phone| phone.live(scene.now()));
    let live = live.filter(|(binding, _)| is_meant(binding));
    let phones: Vec<(Binding, String)> =
        live.map(|(binding, edge)| (binding.clone(), edge.to_owned())).collect();
    for (binding, edge) in phones {
        notify(employee, &binding, &edge, &summary, scene);
    }
}

/// New and old messages in the boxes of this employee, as RFC 3842 section 5.2 writes them. None: they have no box.
fn summary(employee: &EmployeeId, scene: &Scene<'_>) -> Option<String> {
    let config = &scene.tenant.config;
    let extension = config.employees.get(employee)?.extension.clone();
    let mut boxes = config.boxes_of(employee).peekable();
    boxes.peek()?;
    let messages = boxes.filter_map(|mailbox| scene.tenant.messages(&mailbox.name)).flat_map(Messages::shown);
    let (new, old) = messages.fold((0_u32, 0_u32), |(new, old), (_, message)| match message.heard {
        true => (new, old + 1),
        false => (new + 1, old),
    });
    let waiting = if new > 0 { "yes" } else { "no" };
    Some(format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: sip:{extension}@{}\r\nVoice-Message: {new}/{old} (0/0)\r\n",
        config.domain
    ))
}

fn notify(employee: &EmployeeId, binding: &Binding, edge: &str, summary: &str, scene: &mut Scene<'_>) {
    let config = scene.tenant.config.clone();
    let Some(configured) = config.employees.get(employee) else { return };
    let destination = binding.destination();
    let reached = scene.edge_for(destination.transport, edge).unwrap_or_else(|| edge.to_owned());
    let account = || NameAddr::new(Uri::sip(Some(&configured.extension), &config.domain, None));
    let mut message = Message::request(Method::NOTIFY, &binding.contact);
    for route in &binding.path {
        message.push("Route", route);
    }
    let message = message
        .with("Max-Forwards", 70)
        .with("From", account().with_tag(&scene.seed.token()))
        .with("To", account())
        .with("Call-ID", scene.seed.token())
        .with("CSeq", "1 NOTIFY")
        .with("Contact", format!("<{}>", Uri::sip(None, &config.domain, None)))
        .with("Event", "message-summary")
        .with("Subscription-State", "terminated;reason=noresource")
        .with("User-Agent", line::USER_AGENT)
        .with_body("application/simple-message-summary", summary.as_bytes().to_vec());
    let branch = format!("z9hG4bK-lamp-{}", scene.seed.token());
    let message = message.to_bytes().into();
    let out = Outgoing::Request { branch, method: Method::NOTIFY, destination, message };
    let object = ObjectRef::Agent(config.id.clone(), employee.clone());
    let effect = line::send_apart(object, &reached, (scene.tenant.epoch, scene.stamp), out);
    scene.effects.actions.push(effect);
}
