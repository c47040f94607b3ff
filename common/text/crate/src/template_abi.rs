//! The C functions of the chat template.

use crate::abi::{guard, slice, text, Bytes};
use crate::template::Template;

#[no_mangle]
pub unsafe extern "C" fn srlm_text_template_load(
    source: *const u8,
    size: usize,
    out: *mut *mut Template,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let template = Template::from_source(text(source, size)?)?;
        out.write(Box::into_raw(Box::new(template)));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_template_free(template: *mut Template) {
    if !template.is_null() {
        drop(Box::from_raw(template));
    }
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_template_render(
    template: *const Template,
    variables_json: *const u8,
    size: usize,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let rendered = (*template).render(slice(variables_json, size))?;
        out.write(Bytes::from_string(rendered));
        Ok(())
    })
}
