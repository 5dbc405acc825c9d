//! Given, when, then: what callers, agents and far ends live through.

mod answered;
mod between_employees;
mod devices;
mod hanging_up;
mod hold;
mod late;
mod limits;
mod nodes;
mod offers;
mod overflow;
mod people;
mod poison;
mod provisional;
mod repeats;
mod takeover;
mod transfer;
