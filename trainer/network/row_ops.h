// The row kernels over matrices, with all threads. One implementation a device: this one is the CPU's.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "common/model/rope.h"

namespace srlm::trainer {

/// out = RMSNorm(x) and rstd [rows]; x, out [rows, width], weight [width].
void RmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& out, at::Tensor& rstd);
/// The same with rstd known from before.
void RmsNormAgain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, at::Tensor& out);
/// d_x += and d_weight += the gradients through RMSNorm of d_out.
void RmsNormBackward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, const at::Tensor& d_out,
                     at::Tensor& d_x, at::Tensor d_weight);

/// Turns the first `heads` heads of each row of `values` by the row's position; `back` turns them back.
void ApplyRope(const model::RopeTable& table, std::span<const int64_t> positions, int64_t heads, bool back,
               at::Tensor& values);

/// out [rows, width] = SwiGLU(gate_up [rows, 2 width]).
void SwiGlu(const at::Tensor& gate_up, at::Tensor& out);
void SwiGluBackward(const at::Tensor& gate_up, const at::Tensor& d_out, at::Tensor& d_gate_up);

}  // namespace srlm::trainer
