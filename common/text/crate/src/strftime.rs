//! strftime_now of Hugging Face's templates: the local time through the C library, as Python does it.

use std::ffi::CString;

/// The local time in `format`. Empty when the format holds a NUL or gives nothing.
pub fn strftime_now(format: String) -> String {
    let Ok(format) = CString::new(format) else { return String::new() };
    let mut buffer = vec![0u8; 256 + 16 * format.as_bytes().len()];
    let written = unsafe {
        let mut now: libc::time_t = 0;
        libc::time(&mut now);
        let mut local: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&now, &mut local).is_null() {
            return String::new();
        }
        libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), &local)
    };
    buffer.truncate(written);
    String::from_utf8_lossy(&buffer).into_owned()
}
