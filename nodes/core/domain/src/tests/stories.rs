//! Given, when, then: what callers, agents and far ends live through.

mod answered;
mod between_employees;
mod devices;
mod digits;
mod draining;
mod hanging_up;
mod hold;
mod late;
mod limits;
mod moves;
mod nodes;
mod offers;
mod overflow;
mod people;
mod poison;
mod priorities;
mod provisional;
mod refound;
mod refusals;
mod repeats;
mod silence;
mod takeover;
mod transfer;
mod unreachable;
mod unusable;
mod wrap_up;
