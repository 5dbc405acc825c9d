//! Shortens what may not stand whole in logs.

/// A phone number with its middle left out: `74951234567` gives `749…67`. Texts of up to five characters
/// (extensions) stay whole.
pub fn number(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_number(&mut out, text);
    out
}

/// As [`number`], at the end of a text.
pub fn push_number(out: &mut String, text: &str) {
    let end = |(at, letter): (usize, char)| at + letter.len_utf8();
    let head = text.char_indices().nth(2).map(end);
    let tail = text.char_indices().nth_back(1).map(|(at, _)| at);
    match head.zip(tail) {
        Some((head, tail)) if text.chars().nth(5).is_some() => {
            out.push_str(&text[..head]);
            out.push('…');
            out.push_str(&text[tail..]);
        }
        _ => out.push_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn long_numbers_lose_their_middle() {
        assert_eq!(number("74951234567"), "749…67");
        assert_eq!(number("+74951234567"), "+74…67");
        assert_eq!(number("101"), "101");
        assert_eq!(number("12345"), "12345");
        assert_eq!(number("123456"), "123…56");
        assert_eq!(number(""), "");
        assert_eq!(number("абвгдеж"), "абв…еж");
    }
}
