/// What an RTF file consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// A control word with its number, or a control symbol.
    Control(&'a str, Option<i64>),
    /// A character in the current code page.
    Byte(u8),
}

/// Splits an RTF file into tokens.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Passes over the data that follows `\bin`.
    pub(super) fn pass_over(&mut self, count: i64) {
        let count = usize::try_from(count).unwrap_or(0);
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let (&first, after) = self.rest.split_first()?;
        if first == b'\'' {
            let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            if let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                self.rest = after.get(2..).unwrap_or_default();
                return Some(Token::Byte(byte));
            }
        }
        if !first.is_ascii_alphabetic() {
            let (symbol, after) = self.rest.split_at(1);
            self.rest = after;
            return Some(Token::Control(std::str::from_utf8(symbol).unwrap_or(""), None));
        }
        let letters = self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, after) = self.rest.split_at(letters);
        let sign = usize::from(after.first() == Some(&b'-'));
        let digits = after.iter().skip(sign).take_while(|b| b.is_ascii_digit()).count();
        let (number, after) = after.split_at(if digits == 0 { 0 } else { sign + digits });
        self.rest = after.strip_prefix(b" ").unwrap_or(after);
        let number = std::str::from_utf8(number)
            .ok()
            .filter(|n| !n.is_empty())
            .map(|n| n.parse().unwrap_or(i64::MAX));
        Some(Token::Control(std::str::from_utf8(word).unwrap_or(""), number))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (&byte, after) = self.rest.split_first()?;
            self.rest = after;
            match byte {
                b'{' => return Some(Token::Open),
                b'}' => return Some(Token::Close),
                b'\\' => return self.control(),
                b'\r' | b'\n' => {}
                byte => return Some(Token::Byte(byte)),
            }
        }
    }
}
