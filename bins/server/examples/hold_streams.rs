//! Opens many answer streams at once, reads each to its end, and says when their pieces came.
//!
//! `cargo run --release --example hold_streams -- ADDRESS PATH STREAMS RAMP_MS BODY [TOKEN]`: opens `STREAMS` connections to `ADDRESS`,
//! spread over `RAMP_MS`, posts `BODY` to `PATH` on each, and prints one line of JSON. A piece is an SSE event that carries text: one
//! of OpenAI's with `"content":"` or one named `delta`. Every stream ends within two minutes.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring tool may fail loudly"
)]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{sleep, timeout};
use futures_util::future::join_all;

/// The longest that one stream is read.
const LONGEST: Duration = Duration::from_mins(2);

/// What came of one stream.
#[derive(Default)]
struct Heard {
    first: Option<Duration>,
    pieces: usize,
    reads: usize,
    whole: bool,
}

async fn hold(address: String, request: String, after: Duration) -> Heard {
    sleep(after).await;
    let mut heard = Heard::default();
    let _ = timeout(LONGEST, read(&address, &request, &mut heard)).await;
    heard
}

async fn read(address: &str, request: &str, heard: &mut Heard) -> std::io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let begun = Instant::now();
    // A request of a few hundred bytes fits an empty socket buffer whole.
    stream.writable().await?;
    stream.try_write(request.as_bytes())?;
    let mut buffer = vec![0; 4_096];
    let mut unread: Vec<u8> = Vec::new();
    loop {
        stream.readable().await?;
        let length = match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            length => length?,
        };
        if length == 0 {
            return Ok(());
        }
        heard.reads += 1;
        unread.extend(buffer.iter().take(length));
        let text = String::from_utf8_lossy(&unread);
        let pieces = text.matches("\"content\":\"").count() + text.matches("event: delta").count();
        if pieces > 0 && heard.first.is_none() {
            heard.first = Some(begun.elapsed());
        }
        heard.pieces += pieces;
        if text.contains("[DONE]") || text.contains("event: done") {
            heard.whole = true;
            return Ok(());
        }
        // What was counted goes; the rest may be the beginning of a mark.
        let keep = unread.len().min(16);
        let tail = if pieces > 0 {
            Vec::new()
        } else {
            unread.split_off(unread.len() - keep)
        };
        unread = tail;
    }
}

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |n: usize| arguments.get(n).cloned().unwrap_or_default();
    let (address, path, body) = (argument(0), argument(1), argument(4));
    let streams: u32 = argument(2).parse().expect("STREAMS is a number");
    let ramp: u64 = argument(3).parse().expect("RAMP_MS is a number");
    let authorization = match argument(5) {
        token if token.is_empty() => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: text/event-stream\r\n\
         connection: close\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let ramp = Duration::from_millis(ramp);
    let held = (0..streams).map(|n| hold(address.clone(), request.clone(), ramp * n / streams));
    let heard = join_all(held).await;
    let mut firsts: Vec<f64> = heard
        .iter()
        .filter_map(|heard| Some(heard.first?.as_secs_f64() * 1_000.0))
        .collect();
    firsts.sort_by(f64::total_cmp);
    let at = |share: usize| firsts.get((firsts.len() * share / 100).min(firsts.len().saturating_sub(1)));
    println!(
        r#"{{"whole":{},"first_p50":{},"first_p99":{},"pieces":{},"reads":{}}}"#,
        heard.iter().filter(|heard| heard.whole).count(),
        at(50).copied().unwrap_or(f64::NAN),
        at(99).copied().unwrap_or(f64::NAN),
        heard.iter().map(|heard| heard.pieces).sum::<usize>(),
        heard.iter().map(|heard| heard.reads).sum::<usize>(),
    );
}
