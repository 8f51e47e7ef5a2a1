//! A small SMTP server for tests.
#![expect(
    clippy::expect_used,
    reason = "a test without its server has nothing to report but this"
)]

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What may come of a line: a plain or an encrypted connection goes on, or it ends.
pub(crate) type Wrap = dyn Fn(TcpStream) -> Box<dyn Stream> + Send + Sync;

/// A connection that is read and written.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A mail as the server took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Who sent it, as the envelope says.
    pub from: String,
    /// Whom it goes to, as the envelope says.
    pub to: String,
    /// Its headers and its body as they came, with `\n` at the end of each line.
    pub source: String,
    /// What the client logged in with, decoded.
    pub login: Option<String>,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

impl Received {
    /// What it says, decoded.
    pub fn text(&self) -> String {
        let (head, body) = self.source.split_once("\n\n").unwrap_or((&self.source, ""));
        let head = head.to_ascii_lowercase();
        let bytes = if head.contains("content-transfer-encoding: base64") {
            from_base64(body)
        } else if head.contains("content-transfer-encoding: quoted-printable") {
            from_quoted_printable(body)
        } else {
            body.as_bytes().to_vec()
        };
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }

    /// One header, unfolded; encoded words (RFC 2047) are decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self
            .source
            .split_once("\n\n")
            .map_or(&*self.source, |(head, _)| head);
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        let value = unfolded.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        value.map(|value| decoded_words(&value))
    }
}

/// A real SMTP server on a free port of the loopback interface, which keeps every mail.
pub struct StubSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Behaviour,
    mails: Mutex<Vec<Received>>,
    lines: Mutex<Vec<String>>,
}

/// What the server is like.
#[derive(Default)]
pub(crate) struct Behaviour {
    /// Upgrades to TLS when the client asks for it; without it that is not offered.
    pub(crate) starttls: Option<Box<Wrap>>,
    /// TLS from the first byte.
    pub(crate) tls: Option<Box<Wrap>>,
    /// A command, and what it is answered in place of the usual.
    pub(crate) answers: Vec<(&'static str, &'static str)>,
    /// Says nothing at all.
    pub(crate) is_silent: bool,
}

impl StubSmtp {
    /// Starts a server that takes every mail, without TLS.
    pub fn start() -> Self {
        Self::with(Behaviour::default())
    }

    /// Starts a server that gives `answer`, as `550 no such mailbox`, to lines that begin with `command`.
    pub fn answering(command: &'static str, answer: &'static str) -> Self {
        Self::with(Behaviour {
            answers: vec![(command, answer)],
            ..Behaviour::default()
        })
    }

    pub(crate) fn with(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            behaviour,
            mails: Mutex::default(),
            lines: Mutex::default(),
        });
        let serving = shared.clone();
        // It ends with the process: nothing waits for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = serving.clone();
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Self { address, shared }
    }

    /// What `SMTP_URL` would be.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The mails so far, in their order.
    pub fn mails(&self) -> Vec<Received> {
        lock(&self.shared.mails).clone()
    }

    /// Every line that a client sent outside a mail, in the order they came.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.shared.lines).clone()
    }
}

impl fmt::Debug for StubSmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubSmtp")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Speaks with one client until it leaves.
fn serve(shared: &Shared, stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    if shared.behaviour.is_silent {
        // Until the client gives up.
        let _ = (&stream).read_to_end(&mut Vec::new());
        return;
    }
    let Ok(second) = stream.try_clone() else { return };
    let wrapped: Box<dyn Stream> = match &shared.behaviour.tls {
        Some(wrap) => wrap(stream),
        None => Box::new(stream),
    };
    let mut session = Session {
        shared,
        stream: BufReader::new(wrapped),
        plain: Some(second),
        encrypted: shared.behaviour.tls.is_some(),
        from: String::new(),
        to: String::new(),
        login: None,
    };
    if session.say("220 stub").is_some() {
        while session.step().is_some() {}
    }
}

struct Session<'a> {
    shared: &'a Shared,
    stream: BufReader<Box<dyn Stream>>,
    plain: Option<TcpStream>,
    encrypted: bool,
    from: String,
    to: String,
    login: Option<String>,
}

impl Session<'_> {
    fn say(&mut self, line: &str) -> Option<()> {
        let stream = self.stream.get_mut();
        stream.write_all(line.as_bytes()).ok()?;
        stream.write_all(b"\r\n").ok()?;
        stream.flush().ok()
    }

    fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Answers one command; `None` when the connection is over.
    fn step(&mut self) -> Option<()> {
        let line = self.hear()?;
        lock(&self.shared.lines).push(line.clone());
        let upper = line.to_ascii_uppercase();
        let scripted = self.shared.behaviour.answers.iter();
        if let Some((_, answer)) = scripted.clone().find(|(command, _)| upper.starts_with(command)) {
            return self.say(answer);
        }
        match upper.split(' ').next().unwrap_or_default() {
            "EHLO" => self.greet(),
            "STARTTLS" => self.start_tls(),
            "AUTH" => self.log_in(&line),
            "MAIL" => {
                self.from = path_of(&line);
                self.say("250 ok")
            }
            "RCPT" => {
                self.to = path_of(&line);
                self.say("250 ok")
            }
            "DATA" => self.take(),
            "NOOP" => self.say("250 here"),
            "QUIT" => {
                self.say("221 bye");
                None
            }
            _ => self.say("500 what?"),
        }
    }

    fn greet(&mut self) -> Option<()> {
        self.say("250-stub")?;
        if !self.encrypted && self.shared.behaviour.starttls.is_some() {
            self.say("250-STARTTLS")?;
        }
        self.say("250 AUTH PLAIN")
    }

    fn start_tls(&mut self) -> Option<()> {
        let Some(wrap) = &self.shared.behaviour.starttls else {
            return self.say("502 no");
        };
        self.say("220 go on")?;
        self.stream = BufReader::new(wrap(self.plain.take()?));
        self.encrypted = true;
        Some(())
    }

    fn log_in(&mut self, line: &str) -> Option<()> {
        let given = line.rsplit(' ').next().unwrap_or_default();
        let text = String::from_utf8_lossy(&from_base64(given)).replace('\0', " ");
        self.login = Some(text.trim().to_owned());
        self.say("235 welcome")
    }

    fn take(&mut self) -> Option<()> {
        self.say("354 go on")?;
        let mut source = String::new();
        loop {
            let line = self.hear()?;
            if line == "." {
                break;
            }
            source.push_str(line.strip_prefix('.').unwrap_or(&line));
            source.push('\n');
        }
        lock(&self.shared.mails).push(Received {
            from: self.from.clone(),
            to: self.to.clone(),
            source,
            login: self.login.clone(),
            encrypted: self.encrypted,
        });
        self.say("250 taken")
    }
}

/// The address between the brackets of `MAIL FROM:<...>`.
fn path_of(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(String::new(), |(path, _)| path.to_owned())
}

fn from_base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for six in text.bytes().filter_map(value) {
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap_or_default());
        }
    }
    bytes
}

fn from_quoted_printable(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        bytes.extend(u8::from_str_radix(digits, 16).ok());
        bytes.extend(rest.bytes());
    }
    bytes
}

fn decoded_words(value: &str) -> String {
    let mut bytes = Vec::new();
    // Blanks between encoded words are no part of the text.
    let joined = value.replace("?= =?", "?==?");
    let mut rest = joined.as_str();
    while let Some((plain, word, after)) = encoded_word(rest) {
        bytes.extend(plain.bytes());
        bytes.extend(word);
        rest = after;
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first encoded word of a header: what stands before it, what it says, and what follows.
fn encoded_word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (plain, word) = text.split_once("=?")?;
    let (_charset, word) = word.split_once('?')?;
    let (encoding, word) = word.split_once('?')?;
    let (word, after) = word.split_once("?=")?;
    let said = if encoding.eq_ignore_ascii_case("b") {
        from_base64(word)
    } else {
        from_quoted_printable(&word.replace('_', " "))
    };
    Some((plain, said, after))
}
