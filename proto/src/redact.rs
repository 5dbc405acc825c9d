//! Shortens what may not stand whole in logs.

/// A phone number with its middle left out: `74951234567` gives `749…67`. Texts of up to five characters
/// (extensions) stay whole.
pub fn number(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 5 {
        return text.to_owned();
    }
    let head: String = letters[..3].iter().collect();
    let tail: String = letters[letters.len() - 2..].iter().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn long_numbers_lose_their_middle() {
        assert_eq!(number("74951234567"), "749…67");
        assert_eq!(number("+74951234567"), "+74…67");
        assert_eq!(number("101"), "101");
        assert_eq!(number("абвгдеж"), "абв…еж");
    }
}
