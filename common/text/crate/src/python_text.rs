//! Python's text conventions, where templates see them: what str() prints and what strip() removes.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

/// str.isspace() of a character: Unicode white space and the four separators U+001C to U+001F.
pub fn is_python_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// A float as Python's repr: 1.0, 1e+16, 1e-05, nan.
pub fn float_repr(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{}e{sign}{digits:0>2}", mantissa.strip_suffix(".0").unwrap_or(mantissa))
        }
        None if number.is_nan() => "nan".to_string(),
        None => text,
    }
}

fn string_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', quote]),
            _ if character.is_control() => out.push_str(&format!("\\x{:02x}", character as u32)),
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

/// repr() of a value made of JSON's types.
pub fn repr(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String => Ok(string_repr(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<_>, _> = value.try_iter()?.map(|item| repr(&item)).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        ValueKind::Map => {
            let mut items = Vec::new();
            for key in value.try_iter()? {
                items.push(format!("{}: {}", repr(&key)?, repr(&value.get_item(&key)?)?));
            }
            Ok(format!("{{{}}}", items.join(", ")))
        }
        _ => to_str(value),
    }
}

/// str() of a value, which is what `{{ value }}` prints.
pub fn to_str(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(String::new()),
        ValueKind::None => Ok("None".to_string()),
        ValueKind::Bool => Ok(if value.is_true() { "True" } else { "False" }.to_string()),
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_string()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::Number => Ok(float_repr(f64::try_from(value.clone())?)),
        ValueKind::Seq | ValueKind::Map => repr(value),
        _ => Ok(value.to_string()),
    }
}

fn strip(text: &str, chars: Option<&str>, left: bool, right: bool) -> String {
    let drop = |character: char| match chars {
        Some(set) => set.contains(character),
        None => is_python_space(character),
    };
    let text = if left { text.trim_start_matches(drop) } else { text };
    let text = if right { text.trim_end_matches(drop) } else { text };
    text.to_string()
}

/// The `trim` filter: str(value).strip(chars).
pub fn trim_filter(value: Value, chars: Option<String>) -> Result<String, Error> {
    Ok(strip(&to_str(&value)?, chars.as_deref(), true, true))
}

/// str methods whose idea of white space is Python's; None where another implementation serves.
fn space_method(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    let chars = match args {
        [] => None,
        [argument] if argument.is_none() => None,
        [argument] => Some(argument.as_str()?),
        _ => return None,
    };
    match method {
        "strip" => Some(Ok(strip(text, chars, true, true).into())),
        "lstrip" => Some(Ok(strip(text, chars, true, false).into())),
        "rstrip" => Some(Ok(strip(text, chars, false, true).into())),
        "isspace" => Some(Ok((!text.is_empty() && text.chars().all(is_python_space)).into())),
        "split" if chars.is_none() => {
            let words = text.split(is_python_space).filter(|word| !word.is_empty());
            Some(Ok(words.map(Value::from).collect()))
        }
        "removeprefix" => Some(Ok(text.strip_prefix(chars?).unwrap_or(text).into())),
        "removesuffix" => Some(Ok(text.strip_suffix(chars?).unwrap_or(text).into())),
        _ => None,
    }
}

/// Methods of Python's types that templates call on ours.
pub fn method(state: &State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(result) = value.as_str().and_then(|text| space_method(text, name, args)) {
        return result;
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args).map_err(|error| {
        if error.kind() == ErrorKind::UnknownMethod && error.detail().is_none() {
            Error::new(ErrorKind::UnknownMethod, format!("{} has no method named {name}", value.kind()))
        } else {
            error
        }
    })
}
