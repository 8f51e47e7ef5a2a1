mod bad_input;
#[cfg(target_os = "linux")]
mod chat;
mod cors;
mod credentials;
mod frame;
mod guard;
#[cfg(target_os = "linux")]
mod leaving;
mod live;
mod log;
mod openapi;
mod page;
#[cfg(target_os = "linux")]
mod process;
mod socket;
