//! A chat template, in the environment that Hugging Face's transformers gives it.

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value};

use crate::{json_dumps, python_text, strftime, template_source};

/// Instructions that one rendering may run: far more than any conversation needs, and an end to a hostile loop.
const FUEL: u64 = 20_000_000;
const NAME: &str = "chat template";

pub struct Template {
    environment: Environment<'static>,
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, format!("the template refuses the conversation: {message}")))
}

fn print(out: &mut Output, _: &State, value: &Value) -> Result<(), Error> {
    let written = match value.as_str() {
        Some(text) => out.write_str(text),
        None => out.write_str(&python_text::to_str(value)?),
    };
    written.map_err(Error::from)
}

/// "line 7: what went wrong", with the reason below it when there is one.
fn describe(error: Error) -> String {
    let mut text = match error.line() {
        Some(line) => format!("line {line}: "),
        None => String::new(),
    };
    match (error.kind(), error.detail()) {
        (ErrorKind::InvalidOperation | ErrorKind::SyntaxError, Some(detail)) => text += detail,
        (kind, Some(detail)) => text += &format!("{kind}: {detail}"),
        (kind, None) => text += &kind.to_string(),
    }
    let mut cause = std::error::Error::source(&error);
    while let Some(reason) = cause {
        text += &format!(" ({reason})");
        cause = reason.source();
    }
    text
}

impl Template {
    pub fn from_source(source: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(print);
        environment.set_unknown_method_callback(python_text::method);
        environment.add_filter("tojson", json_dumps::tojson);
        environment.add_filter("trim", python_text::trim_filter);
        environment.add_filter("string", |value: Value| python_text::to_str(&value));
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime::strftime_now);
        environment.add_template_owned(NAME, template_source::prepare(source)).map_err(describe)?;
        Ok(Template { environment })
    }

    /// Renders with the variables of a JSON object.
    pub fn render(&self, variables: &[u8]) -> Result<String, String> {
        let variables: Value =
            serde_json::from_slice(variables).map_err(|error| format!("variables: {error}"))?;
        let template = self.environment.get_template(NAME).map_err(describe)?;
        template.render(variables).map_err(describe)
    }
}
