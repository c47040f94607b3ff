//! What a template's text needs before the engine reads it.

/// Line ends become "\n", as Jinja does, and `{% generation %}` blocks (Hugging Face's marks of what the
/// assistant wrote) become plain scopes with the same output.
pub fn prepare(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut rest = source.as_str();
    while let Some(start) = rest.find("{%") {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        match generation_tag(rest) {
            Some((replacement, length)) => {
                out.push_str(&replacement);
                rest = &rest[length..];
            }
            None => {
                out.push_str("{%");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The scope tag for a generation tag at the start of `text`, and the bytes that it replaces.
fn generation_tag(text: &str) -> Option<(String, usize)> {
    let end = text.find("%}")? + 2;
    let inside = &text[2..end - 2];
    let mark = |found: bool, sign: &'static str| if found { sign } else { "" };
    let left = mark(inside.starts_with('-'), "-").to_string() + mark(inside.starts_with('+'), "+");
    let right = mark(inside.ends_with('-'), "-").to_string() + mark(inside.ends_with('+'), "+");
    let name = match inside.trim_matches(['-', '+']).trim() {
        "generation" => "with",
        "endgeneration" => "endwith",
        _ => return None,
    };
    // Line ends stay, so that an error's line is the file's.
    let lines = "\n".repeat(inside.matches('\n').count());
    Some((format!("{{%{left} {name} {lines}{right}%}}"), end))
}
