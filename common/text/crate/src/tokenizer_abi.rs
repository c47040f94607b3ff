//! The C functions of the tokenizer.

use crate::abi::{guard, slice, text, Bytes, Ids};
use crate::tokenizer::{StandIn, Tokenizer};

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_load(
    json: *const u8,
    size: usize,
    out: *mut *mut Tokenizer,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let tokenizer = Tokenizer::from_json(slice(json, size))?;
        out.write(Box::into_raw(Box::new(tokenizer)));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_free(tokenizer: *mut Tokenizer) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer));
    }
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_encode(
    tokenizer: *const Tokenizer,
    data: *const u8,
    size: usize,
    parse_special: bool,
    stand_ins: *const StandIn,
    stand_in_count: usize,
    out: *mut Ids,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let stand_ins = slice(stand_ins, stand_in_count);
        let ids = (*tokenizer).encode(text(data, size)?, parse_special, stand_ins)?;
        out.write(Ids::from_vec(ids));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_decode(
    tokenizer: *const Tokenizer,
    ids: *const i32,
    count: usize,
    skip_special: bool,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let decoded = (*tokenizer).decode(slice(ids, count), skip_special)?;
        out.write(Bytes::from_string(decoded));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_has_id(tokenizer: *const Tokenizer, id: i32) -> bool {
    u32::try_from(id).is_ok_and(|id| (*tokenizer).id_to_token(id).is_some())
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_id_limit(tokenizer: *const Tokenizer) -> i32 {
    (*tokenizer).id_limit()
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_special_count(tokenizer: *const Tokenizer) -> usize {
    (*tokenizer).special_tokens().len()
}

/// The text of special token `index`, borrowed from the tokenizer.
#[no_mangle]
pub unsafe extern "C" fn srlm_text_tokenizer_special(
    tokenizer: *const Tokenizer,
    index: usize,
    size: *mut usize,
) -> *const u8 {
    let token = &(*tokenizer).special_tokens()[index];
    size.write(token.len());
    token.as_ptr()
}
