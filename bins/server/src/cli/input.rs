use std::io::{self, BufRead, IsTerminal, Read};

use secrecy::{ExposeSecret, SecretString};

use super::Failure;
use crate::config::{Environment, Variable};

/// Far more than any secret that is taken has.
const MAX_BYTES: u64 = 16_384;

/// A secret from its variable, else from a prompt on a terminal, else from the first line of standard input.
pub(super) fn secret(env: &Environment, variable: &Variable, what: &str) -> Result<SecretString, Failure> {
    if let Some(text) = env.get(variable.name).filter(|text| !text.is_empty()) {
        return Ok(text.into());
    }
    let text = if io::stdin().is_terminal() {
        prompted(what)?
    } else {
        first_line(&mut io::stdin().lock())?
    };
    if text.expose_secret().is_empty() {
        let message = format!("no {what} was given");
        return Err(Failure::new(message).hint(format!(
            "set {}, pass it on standard input, or call from a terminal to be asked",
            variable.name
        )));
    }
    Ok(text)
}

fn prompted(what: &str) -> Result<SecretString, Failure> {
    let text = SecretString::from(rpassword::prompt_password(format!("New {what}: "))?);
    let again = SecretString::from(rpassword::prompt_password("Once more: ")?);
    if text.expose_secret() == again.expose_secret() {
        Ok(text)
    } else {
        Err(Failure::new(format!("the {what} was not the same twice")))
    }
}

fn first_line(input: &mut dyn BufRead) -> io::Result<SecretString> {
    let mut line = String::new();
    input.take(MAX_BYTES).read_line(&mut line)?;
    let text = line.strip_suffix('\n').unwrap_or(&line);
    Ok(text.strip_suffix('\r').unwrap_or(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_secret_with_the_blanks_in_it() {
        for (input, expected) in [
            ("a b \nsecond", "a b "),
            ("x\r\n", "x"),
            ("x", "x"),
            ("", ""),
            ("\n", ""),
        ] {
            let text = first_line(&mut input.as_bytes()).unwrap();
            assert_eq!(text.expose_secret(), expected, "{input:?}");
        }
    }
}
