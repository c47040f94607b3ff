// Which bits this process computes: processors, libraries and versions that round alike have the same id.
#pragma once

#include <string>

#include "worker/engine/kernels/kernels.h"
#include "worker/engine/model_runner.h"

namespace srlm::worker {

/// A hash of what the kernels and the mathematical functions of this process give on fixed inputs: 16 hexadecimal
/// digits. AVX2 and AVX-512 give the same; the portable kernels, which do not fuse products and sums, another one.
std::string ArithmeticId(const KernelTable& kernels);

/// The same length, of a device's name, its libraries and its type of number. What a device computes depends on the
/// batch too, so that an equal id does not promise equal bits.
std::string DeviceArithmeticId(const ComputeOptions& compute);

}  // namespace srlm::worker
