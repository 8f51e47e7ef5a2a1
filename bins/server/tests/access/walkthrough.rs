//! What the walkthrough calls a real server with.
#![expect(dead_code, reason = "the walkthrough needs more of it")]

#[path = "../walkthrough/client.rs"]
pub(crate) mod client;
#[path = "../walkthrough/database.rs"]
pub(crate) mod database;
#[path = "../walkthrough/house.rs"]
pub(crate) mod house;
#[path = "../walkthrough/server.rs"]
pub(crate) mod server;
