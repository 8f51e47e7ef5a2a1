//! A plain HTTP/1.1 client over a socket, which shows what really went over it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::PATIENCE;

/// Calls one server, as nobody or as the bearer of a token.
#[derive(Clone)]
pub(crate) struct Client {
    port: u16,
    token: Option<String>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON, of an answer that must have that status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The `code` of an error that must have that status.
    #[track_caller]
    pub(crate) fn error(&self, status: u16) -> String {
        let body = self.expect(status);
        let code = body["error"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no error code: {body}")).to_owned()
    }
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            port: self.port,
            token: Some(token.to_owned()),
        }
    }

    /// The same caller at another server.
    pub(crate) fn at(&self, port: u16) -> Self {
        Self {
            port,
            token: self.token.clone(),
        }
    }

    /// Logs in and gives the client of that user.
    #[track_caller]
    pub(crate) fn log_in(&self, email: &str, password: &str) -> Self {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.post("/login", &body).expect(200);
        self.with_token(answer["access_token"].as_str().unwrap())
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.call("GET", target, None)
    }

    pub(crate) fn delete(&self, target: &str) -> Response {
        self.call("DELETE", target, None)
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Response {
        self.call("POST", target, Some(body))
    }

    /// Hands in a document, waits until it can be found, and gives the job.
    #[track_caller]
    pub(crate) fn add_document(&self, document: &Value) -> Value {
        let job = self.post("/documents?wait=60", document).json();
        assert_eq!(job["state"], "done", "{job}");
        job
    }

    /// Uploads a file as a browser's form does.
    pub(crate) fn upload(&self, target: &str, name: &str, bytes: &[u8]) -> Response {
        let boundary = "7f0c1d2e";
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let body = [
            head.as_bytes(),
            bytes,
            format!("\r\n--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        let kind = format!("multipart/form-data; boundary={boundary}");
        let sent = self.send("POST", target, "application/json", Some((&kind, &body)));
        sent.and_then(read_response)
            .unwrap_or_else(|error| panic!("POST {target}: {error}"))
    }

    pub(crate) fn put(&self, target: &str, body: &Value) -> Response {
        self.call("PUT", target, Some(body))
    }

    fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Response {
        self.try_call(method, target, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// As `get`, where the server may not be there.
    pub(crate) fn try_get(&self, target: &str) -> std::io::Result<Response> {
        self.try_call("GET", target, None)
    }

    fn try_call(&self, method: &str, target: &str, body: Option<&Value>) -> std::io::Result<Response> {
        let body = body.map(|body| body.to_string().into_bytes());
        let body = body.as_ref().map(|body| ("application/json", body.as_slice()));
        read_response(self.send(method, target, "application/json", body)?)
    }

    /// Sends a request whose answer is a stream of events, and reads its head.
    #[track_caller]
    pub(crate) fn events(&self, target: &str, body: &Value) -> Events {
        let body = body.to_string();
        let body = Some(("application/json", body.as_bytes()));
        let mut reader = self.send("POST", target, "text/event-stream", body).unwrap();
        let (status, headers) = read_head(&mut reader).unwrap();
        Events {
            status,
            headers,
            reader,
            rest: Vec::new(),
        }
    }

    /// Sends a request with a request id of its own choosing, so that two answers may be compared to the byte.
    #[track_caller]
    pub(crate) fn exchange(
        &self,
        method: &str,
        target: &str,
        accept: &str,
        body: Option<(&str, &[u8])>,
    ) -> Response {
        let accept = format!("{accept}\r\nx-request-id: the-same-for-all");
        let sent = self.send(method, target, &accept, body);
        sent.and_then(read_response)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    fn send(
        &self,
        method: &str,
        target: &str,
        accept: &str,
        body: Option<(&str, &[u8])>,
    ) -> std::io::Result<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let authorization = self
            .token
            .as_ref()
            .map(|token| format!("authorization: Bearer {token}\r\n"));
        let length =
            body.map(|(kind, body)| format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len()));
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\naccept: {accept}\r\n{}{}\r\n",
            self.port,
            authorization.unwrap_or_default(),
            length.unwrap_or_default(),
        );
        stream.write_all(request.as_bytes())?;
        stream.write_all(body.map_or(&[], |(_, body)| body))?;
        Ok(BufReader::new(stream))
    }
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// An answer that comes event by event. Dropping it closes the socket, as a browser does that leaves the page.
pub(crate) struct Events {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
    rest: Vec<u8>,
}

impl Events {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Reads on until the server shows that it is there, with nothing else to say.
    pub(crate) fn wait_for_comment(&mut self) {
        let line = self.line().expect("the stream ended");
        if !line.starts_with(':') {
            assert_eq!(line, "", "no event was expected");
            self.wait_for_comment();
        }
    }

    /// The next line, without its end; `None` at the end of the body.
    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            let chunk = read_chunk(&mut self.reader).expect("the stream broke off");
            self.rest.extend(chunk?);
        }
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            if let Some(value) = line.strip_prefix("event: ") {
                value.clone_into(&mut name);
            } else if let Some(value) = line.strip_prefix("data: ") {
                data += value;
            } else if line.is_empty() && !name.is_empty() {
                let data = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"));
                return Some(Event { name, data });
            }
        }
    }
}

fn read_response(mut reader: BufReader<TcpStream>) -> std::io::Result<Response> {
    let (status, headers) = read_head(&mut reader)?;
    let mut bytes = Vec::new();
    if find(&headers, "transfer-encoding").is_some() {
        while let Some(chunk) = read_chunk(&mut reader)? {
            bytes.extend(chunk);
        }
    } else {
        reader.read_to_end(&mut bytes)?;
    }
    let body = String::from_utf8(bytes).map_err(std::io::Error::other)?;
    Ok(Response {
        status,
        headers,
        body,
    })
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<(u16, Vec<(String, String)>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(format!("no answer but {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}

/// Reads one chunk of a chunked body; `None` for the last one. A body that ends without it is an error.
fn read_chunk(reader: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let length = usize::from_str_radix(line.trim(), 16)
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "no last chunk"))?;
    let mut chunk = vec![0; length];
    reader.read_exact(&mut chunk)?;
    reader.read_line(&mut String::new())?;
    Ok((length > 0).then_some(chunk))
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}
