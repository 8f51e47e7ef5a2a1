mod bad_input;
mod cors;
mod frame;
mod guard;
mod log;
mod openapi;
mod page;
mod socket;
