// The row kernels over matrices, with all threads. One implementation a device: this one is the CPU's.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "common/model/model_config.h"
#include "common/model/rope.h"
#include "trainer/network/attention.h"

namespace srlm::trainer {

/// out = RMSNorm(x) and rstd [rows]; x, out [rows, width], weight [width].
void RmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& out, at::Tensor& rstd);
/// The same with rstd known from before.
void RmsNormAgain(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, at::Tensor& out);
/// d_x += and d_weight += (undefined: it is not wanted) the gradients through RMSNorm of d_out.
void RmsNormBackward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, const at::Tensor& d_out,
                     at::Tensor& d_x, at::Tensor d_weight);

/// What a norm's rows are multiplied by: its parameter, in some families 1 + that.
at::Tensor NormFactor(const model::ModelConfig& config, const at::Tensor& parameter);

/// RMSNorm over each head of queries and of keys: `qkv` [tokens, row_size] in place, with q_factor and k_factor
/// [head_dim]. `raw` [tokens, query_size + kv_size] gets what they were, rstd [tokens, heads + kv_heads] their factors.
void NormHeads(const HeadShape& shape, const at::Tensor& q_factor, const at::Tensor& k_factor, double epsilon,
               at::Tensor& qkv, at::Tensor& raw, at::Tensor& rstd);
/// d_qkv's queries and keys from the gradient of what NormHeads gave to that of what it got; d_q and d_k (undefined:
/// not wanted) += those of the factors.
void NormHeadsBackward(const HeadShape& shape, const at::Tensor& q_factor, const at::Tensor& k_factor,
                       const at::Tensor& raw, const at::Tensor& rstd, at::Tensor& d_qkv, at::Tensor d_q,
                       at::Tensor d_k);

/// Turns the first `heads` heads of each row of `values` by the row's position; `back` turns them back.
void ApplyRope(const model::RopeTable& table, std::span<const int64_t> positions, int64_t heads, bool back,
               at::Tensor& values);

/// out [rows, width] = activation(gate) * up, of gate_up [rows, 2 width].
void GatedUnit(model::Activation activation, const at::Tensor& gate_up, at::Tensor& out);
void GatedUnitBackward(model::Activation activation, const at::Tensor& gate_up, const at::Tensor& d_out,
                       at::Tensor& d_gate_up);

}  // namespace srlm::trainer
