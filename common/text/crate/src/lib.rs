//! The field's own tokenizer and template engine, and a language detector, behind a C ABI: ../srlm_text.h is its description.
//! Every function catches panics and reports failures as messages.

mod abi;
mod json_dumps;
mod language_abi;
mod python_text;
mod strftime;
mod template;
mod template_abi;
mod template_source;
mod tokenizer;
mod tokenizer_abi;
