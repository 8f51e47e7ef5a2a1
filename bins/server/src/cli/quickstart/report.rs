use std::io::{self, Write};
use std::net::SocketAddr;

use secrecy::ExposeSecret;
use tenantry_retrieval::{Answer, Embedders};

use super::folder::Folder;
use super::samples::{QUESTION, SAMPLES, SUPERUSER, SUPERUSER_PASSWORD, Sample};
use crate::cli::Failure;
use crate::cli::ask::print;

/// Writes how documents are searched.
pub(super) fn search(embedders: &Embedders, out: &mut dyn Write) -> io::Result<()> {
    match embedders.current_model() {
        Some(model) => writeln!(out, "Search goes by meaning ({}) and by words.", model.name),
        None => writeln!(
            out,
            "Search goes by words alone; scripts/fetch-model brings a model that knows meanings."
        ),
    }
}

/// Writes what a tenant answers.
pub(super) fn answer(sample: &Sample, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n=== {} answers ===\n", sample.name)?;
    print(answer, out)
}

/// Writes who can log in.
pub(super) fn accounts(folder: &Folder, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\nLog-ins, kept in {}:",
        folder.path().join(".env").display()
    )?;
    let tenants = SAMPLES
        .iter()
        .map(|sample| (sample.name, sample.email, sample.password));
    for (who, email, variable) in std::iter::once(("Superuser", SUPERUSER, SUPERUSER_PASSWORD)).chain(tenants)
    {
        let password = folder.password(variable)?;
        writeln!(out, "  {who:<16} {email:<32} {}", password.expose_secret())?;
    }
    Ok(())
}

/// Writes calls to paste into a shell.
pub(super) fn calls(folder: &Folder, address: SocketAddr, out: &mut dyn Write) -> Result<(), Failure> {
    let url = format!("http://{address}");
    writeln!(
        out,
        "\nServing at {url} until Ctrl+C; its API is at {url}/docs. In another terminal:"
    )?;
    for sample in &SAMPLES {
        writeln!(
            out,
            "\n  # {} answers, in a conversation of its user's",
            sample.name
        )?;
        log_in(&url, sample.email, &folder.password(sample.password)?, out)?;
        writeln!(
            out,
            "  curl -s {url}/chat -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
             -d '{{\"message\": \"{QUESTION}\"}}'"
        )?;
        writeln!(
            out,
            "  curl -s {url}/conversations -H \"Authorization: Bearer $TOKEN\""
        )?;
    }
    writeln!(out, "\n  # The superuser lists the tenants")?;
    log_in(&url, SUPERUSER, &folder.password(SUPERUSER_PASSWORD)?, out)?;
    writeln!(
        out,
        "  curl -s {url}/admin/tenants/ -H \"Authorization: Bearer $TOKEN\"\n"
    )?;
    Ok(())
}

fn log_in(url: &str, email: &str, password: &secrecy::SecretString, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  TOKEN=$(curl -s {url}/token -d grant_type=password -d username={email} -d password={} \
         | sed 's/.*\"access_token\": *\"\\([^\"]*\\)\".*/\\1/')",
        password.expose_secret()
    )
}
