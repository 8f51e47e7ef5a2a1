//! From the order in which characters stand on the page to the order in which they are read.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    LeftToRight,
    RightToLeft,
    Number,
    Neutral,
}

/// Whether most letters of a text are of a script that is written from right to left.
pub(super) fn is_right_to_left(text: &str) -> bool {
    let (mut left, mut right) = (0_usize, 0_usize);
    for c in text.chars() {
        match class_of(c) {
            Class::LeftToRight => left += 1,
            Class::RightToLeft => right += 1,
            Class::Number | Class::Neutral => {}
        }
    }
    right > left
}

/// Joins what stands side by side, from left to right, in the order of reading. Characters that were drawn as one
/// are in that order already.
pub(super) fn logical(cells: &[String]) -> String {
    let classes: Vec<Class> = cells.iter().map(|cell| class(cell)).collect();
    if !classes.contains(&Class::RightToLeft) {
        return cells.concat();
    }
    let all: String = cells.concat();
    let right_to_left = is_right_to_left(&all);
    let runs = runs(cells, &classes, right_to_left);
    if right_to_left {
        runs.into_iter().rev().collect()
    } else {
        runs.concat()
    }
}

/// Runs of one direction, each in its own order of reading, from left to right. Neutral characters between two runs
/// belong to the one of the same direction as the line; between two of one direction to that.
fn runs(cells: &[String], classes: &[Class], line_is_right_to_left: bool) -> Vec<String> {
    let directions = directions(classes, line_is_right_to_left);
    let mut runs = Vec::new();
    let mut from = 0;
    for group in directions.chunk_by(|a, b| a == b) {
        let run = cells.get(from..from + group.len()).unwrap_or_default();
        from += group.len();
        runs.push(match group.first() {
            Some(true) => run.iter().rev().map(|cell| mirrored(cell)).collect(),
            _ => run.concat(),
        });
    }
    runs
}

/// For each cell whether it is read from right to left.
fn directions(classes: &[Class], line: bool) -> Vec<bool> {
    let mut directions: Vec<Option<bool>> = Vec::with_capacity(classes.len());
    for (at, class) in classes.iter().enumerate() {
        directions.push(match class {
            Class::LeftToRight | Class::Number => Some(false),
            Class::RightToLeft => Some(true),
            // What stands between the digits of a number is part of it.
            Class::Neutral => {
                let digit = |at: Option<usize>| at.and_then(|at| classes.get(at)) == Some(&Class::Number);
                (digit(at.checked_sub(1)) && digit(at.checked_add(1))).then_some(false)
            }
        });
    }
    let mut following = vec![line; directions.len()];
    let mut after = line;
    for (direction, place) in directions.iter().zip(&mut following).rev() {
        after = direction.unwrap_or(after);
        *place = after;
    }
    let mut before = line;
    for (direction, after) in directions.into_iter().zip(&mut following) {
        before = direction.unwrap_or(if before == *after { before } else { line });
        *after = before;
    }
    following
}

fn class(cell: &str) -> Class {
    cell.chars()
        .map(class_of)
        .find(|class| *class != Class::Neutral)
        .unwrap_or(Class::Neutral)
}

fn class_of(c: char) -> Class {
    match c {
        '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Class::Number,
        // Hebrew, Arabic, Syriac, Thaana, N'Ko, Samaritan and others, with their presentation forms.
        '\u{590}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' => Class::RightToLeft,
        c if c.is_alphabetic() => Class::LeftToRight,
        _ => Class::Neutral,
    }
}

/// In text that runs to the left the shape of an opening bracket is that of a closing one.
fn mirrored(cell: &str) -> String {
    let mirror = |c| match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '\u{ab}' => '\u{bb}',
        '\u{bb}' => '\u{ab}',
        c => c,
    };
    cell.chars().map(mirror).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(visual: &str) -> String {
        logical(&visual.chars().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn hebrew_is_read_from_the_right() {
        assert_eq!(read("םלוע םולש"), "שלום עולם");
        assert_eq!(read("plain (text) 12"), "plain (text) 12");
    }

    #[test]
    fn numbers_and_latin_words_keep_their_own_order() {
        // On the page, from left to right: "the price is 12.50 shekels" with the words in Hebrew.
        assert_eq!(read("םילקש 12.50 ריחמה"), "המחיר 12.50 שקלים");
        assert_eq!(read("ךסמ USB Hub ןקתה"), "התקן USB Hub מסך");
        assert_eq!(read("see םולש now"), "see שלום now");
    }

    #[test]
    fn brackets_open_towards_the_text() {
        assert_eq!(read("(םלוע) םולש"), "שלום (עולם)");
    }

    #[test]
    fn characters_drawn_as_one_stay_in_order() {
        let cells = vec!["م".to_owned(), "لا".to_owned(), "س".to_owned()];
        assert_eq!(logical(&cells), "سلام");
    }
}
