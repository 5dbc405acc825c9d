//! Whose a request from outside of any dialog is: what its edge has proven, held against the configuration.

use mangrove_proto::{
    edge::{Ingress, Page, ingress::From},
    id::EmployeeId,
};
use mangrove_sip::Message;

use crate::{
    config::{Employee, PAGE, TenantConfig},
    rules,
};

/// The rules of the group do not know phones in pages yet.
const NOT_YET: u16 = 503;
/// Nobody can tell whom the page would act for.
const BAD_FROM: u16 = 400;
/// The page speaks for nobody any more, or would act for somebody else.
const FORBIDDEN: u16 = 403;

/// What the phone is called among its person's devices. None: it is a trunk.
pub(crate) fn device(ingress: &Ingress) -> Option<&str> {
    match ingress.from.as_ref()? {
        From::Trunk(_) => None,
        From::Device(username) => Some(username),
        From::Page(_) => Some(PAGE),
    }
}

/// Whose phone it is. None: a trunk's, or of nobody who is there.
pub(crate) fn employee<'a>(ingress: &Ingress, config: &'a TenantConfig) -> Option<&'a Employee> {
    match ingress.from.as_ref()? {
        From::Trunk(_) => None,
        From::Device(username) => config.device(username).map(|(employee, _)| employee),
        From::Page(page) => config.employees.get(&EmployeeId::from(page.employee.as_str())),
    }
}

/// The status by which what a page asks for is refused; none for all others, whose proof is their edge's alone. The ticket
/// that a page came with is as old as its connection: whether it speaks for its person still, and for nobody else, is looked
/// at each time.
pub(crate) fn refusal(
    ingress: &Ingress,
    request: &Message,
    config: &TenantConfig,
    rules: u32,
) -> Option<u16> {
    let Some(From::Page(page)) = &ingress.from else { return None };
    if !rules::rings_pages(rules) {
        return Some(NOT_YET);
    }
    let Some(employee) = employee(ingress, config).filter(|employee| may_use(employee, page)) else {
        return Some(FORBIDDEN);
    };
    let Ok(from) = request.from() else { return Some(BAD_FROM) };
    let user = from.uri.user().unwrap_or_default();
    let is_own = from.uri.host.eq_ignore_ascii_case(&config.domain) && user == *employee.extension;
    (!is_own).then_some(FORBIDDEN)
}

fn may_use(employee: &Employee, page: &Page) -> bool {
    let login = employee.login.as_ref();
    employee.has_device(PAGE) && login.is_some_and(|login| login.epoch == page.epoch)
}
