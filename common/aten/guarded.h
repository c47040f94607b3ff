// What ATen throws, as a status.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "common/base/status.h"

namespace srlm {

/// What `work` returns, a Status or a Result; FailedPrecondition when a device's memory is full, with `more_room`
/// saying what to do about it, and Internal for whatever else a device or ATen complains of.
template <class Work>
auto Guarded(const std::string& more_room, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    return FailedPrecondition("the device's memory is full: " + std::string(error.what_without_backtrace()) + "; " +
                              more_room);
  } catch (const c10::Error& error) {
    return InternalError("the device: " + std::string(error.what_without_backtrace()));
  }
}

}  // namespace srlm
