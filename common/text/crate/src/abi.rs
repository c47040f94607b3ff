//! What crosses the border: borrowed views in, owned arrays out, messages instead of panics.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Bytes that the caller frees with `srlm_text_free_bytes`.
#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: usize,
}

/// Token ids that the caller frees with `srlm_text_free_ids`.
#[repr(C)]
pub struct Ids {
    data: *mut i32,
    size: usize,
}

fn leak<T>(values: Vec<T>) -> (*mut T, usize) {
    let mut values = values.into_boxed_slice();
    let parts = (values.as_mut_ptr(), values.len());
    std::mem::forget(values);
    parts
}

unsafe fn reclaim<T>(data: *mut T, size: usize) {
    if !data.is_null() {
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) });
    }
}

impl Bytes {
    pub fn from_string(text: String) -> Self {
        let (data, size) = leak(text.into_bytes());
        Bytes { data, size }
    }
}

impl Ids {
    pub fn from_vec(ids: Vec<i32>) -> Self {
        let (data, size) = leak(ids);
        Ids { data, size }
    }
}

/// A view of the caller's array; an empty one may come with a null pointer.
pub unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(data, size) }
    }
}

/// The caller's text, which must be UTF-8.
pub unsafe fn text<'a>(data: *const u8, size: usize) -> Result<&'a str, String> {
    std::str::from_utf8(unsafe { slice(data, size) })
        .map_err(|error| format!("the text is not valid UTF-8 at byte {}", error.valid_up_to()))
}

thread_local! {
    static PANIC_PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics are reported by `guard`, so the hook only notes the place and prints nothing.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
            PANIC_PLACE.with(|cell| *cell.borrow_mut() = place.unwrap_or_default());
        }));
    });
}

fn panic_message(panic: Box<dyn std::any::Any + Send>) -> String {
    let what = panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_string());
    let place = PANIC_PLACE.with(|cell| cell.borrow().clone());
    // The file's own name says enough; the folder is that of whoever built the library.
    let place = place.rsplit('/').next().unwrap_or_default().to_string();
    format!("the text library failed inside ({place}): {what}")
}

/// Runs `work`; 0 when it succeeds, else 1 and the reason in `error`.
pub unsafe fn guard(error: *mut Bytes, work: impl FnOnce() -> Result<(), String>) -> i32 {
    quiet_panics();
    let message = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return 0,
        Ok(Err(message)) => message,
        Err(panic) => panic_message(panic),
    };
    unsafe { error.write(Bytes::from_string(message)) };
    1
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_free_bytes(bytes: Bytes) {
    unsafe { reclaim(bytes.data, bytes.size) }
}

#[no_mangle]
pub unsafe extern "C" fn srlm_text_free_ids(ids: Ids) {
    unsafe { reclaim(ids.data, ids.size) }
}

/// Bytes of the longest valid UTF-8 start of the text: its size when all of it is valid.
#[no_mangle]
pub unsafe extern "C" fn srlm_text_valid_utf8(data: *const u8, size: usize) -> usize {
    match std::str::from_utf8(unsafe { slice(data, size) }) {
        Ok(_) => size,
        Err(error) => error.valid_up_to(),
    }
}
