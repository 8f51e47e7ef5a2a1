//! A database that goes away and comes back while the server runs.
#![cfg(feature = "postgres-tests")]

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant};
use crate::server::{Settings, free_port};
use crate::wait_for;

/// Stands between the server and PostgreSQL, so that one test can cut the line without touching the others' cluster.
struct Line {
    address: SocketAddr,
    open: Mutex<Vec<TcpStream>>,
    cut: AtomicBool,
    silent: AtomicBool,
}

impl Line {
    fn lay(database: &url::Url) -> Arc<Self> {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
        let line = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            open: Mutex::default(),
            cut: AtomicBool::new(false),
            silent: AtomicBool::new(false),
        });
        let (accepting, database) = (line.clone(), database.clone());
        // Ends with the process; a test has nothing to wait for here.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                accepting.open.lock().unwrap().push(client.try_clone().unwrap());
                if accepting.cut.load(Ordering::SeqCst) {
                    drop(client.shutdown(Shutdown::Both));
                } else if !accepting.silent.load(Ordering::SeqCst) {
                    join(client, &database).unwrap();
                }
            }
        });
        line
    }

    /// The address of `database` over this line.
    fn url(&self, database: &url::Url) -> String {
        let mut url = database.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    /// Ends every connection; new ones end at once.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.end_connections();
    }

    /// Ends every connection; new ones are taken and never answered.
    fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
        self.end_connections();
    }

    fn restore(&self) {
        self.cut.store(false, Ordering::SeqCst);
        self.silent.store(false, Ordering::SeqCst);
        self.end_connections();
    }

    fn end_connections(&self) {
        for connection in self.open.lock().unwrap().drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}

/// Copies between a client and the database until one of them ends.
fn join(client: TcpStream, database: &url::Url) -> io::Result<()> {
    let host = database.host_str().expect("TEST_DATABASE_URL names a host");
    let there = TcpStream::connect((host, database.port().unwrap_or(5432)))?;
    copy(client.try_clone()?, there.try_clone()?);
    copy(there, client);
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Both));
    });
}

#[test]
fn a_dead_database_is_a_503_and_service_returns_by_itself() {
    let database = Database::postgres();
    let address: url::Url = database.url().parse().unwrap();
    let line = Line::lay(&address);
    let house = House::open_with(Settings::new(&line.url(&address)));
    let user = house.tenant(&plain_tenant("acme"));
    user.get("/documents").expect(200);
    let public = house.server.client();
    let log_in = json!({ "email": "user@acme.example.org", "password": PASSWORD });

    let outages: [fn(&Line); 2] = [Line::cut, Line::fall_silent];
    for outage in outages {
        outage(&line);
        for _ in 0..3 {
            let asked = Instant::now();
            for answer in [
                user.get("/documents"),
                public.post("/login", &log_in),
                public.get("/readyz"),
            ] {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
            }
            // Each takes the pool's two seconds at most; a pool with the usual thirty would show even on a busy machine.
            assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
        }
        public.get("/healthz").expect(200);
        line.restore();
        wait_for("service to return", || {
            Some(user.get("/documents")).filter(|answer| answer.status == 200)
        });
        public.get("/readyz").expect(200);
        public.post("/login", &log_in).expect(200);
    }
}
