//! The C functions of the language detector.

use crate::abi::{guard, text, Bytes};
use lingua::{LanguageDetector, LanguageDetectorBuilder};

/// A detector of the languages that Cargo.toml names; their models are read at the first text.
#[no_mangle]
pub unsafe extern "C" fn srlm_text_language_load(out: *mut *mut LanguageDetector, error: *mut Bytes) -> i32 {
    guard(error, || {
        let detector = LanguageDetectorBuilder::from_all_languages().build();
        out.write(Box::into_raw(Box::new(detector)));
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_language_free(detector: *mut LanguageDetector) {
    if !detector.is_null() {
        drop(Box::from_raw(detector));
    }
}

/// ISO 639-1 code of the most likely language; empty when none can be told.
#[no_mangle]
pub unsafe extern "C" fn srlm_text_language_detect(
    detector: *const LanguageDetector,
    data: *const u8,
    size: usize,
    out: *mut Bytes,
    error: *mut Bytes,
) -> i32 {
    guard(error, || {
        let language = (*detector).detect_language_of(text(data, size)?);
        let code = language.map(|language| language.iso_code_639_1().to_string());
        out.write(Bytes::from_string(code.unwrap_or_default()));
        Ok(())
    })
}
