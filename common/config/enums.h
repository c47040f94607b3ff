// Choices in the configuration: each is spelled in YAML as in the table beside it.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace srlm::config {

/// What `<|im_end|>` written inside a user's text becomes: its characters, or the special token (Hugging Face).
enum class SpecialTokensInText { kText, kParse };
/// What happens to an answer that ended at its token limit.
enum class CutCandidates { kDrop, kKeep };
/// Scores parsed from sampled judgements, or the expected value over the digits after `Score: `.
enum class VerdictKind { kSampled, kExpected };
/// The same for a round's candidates, whose scores may also be drawn from these digits, or come from a program that is
/// no model of the run.
enum class JudgeVerdict { kSampled, kDigit, kExpected, kProgram };
/// How a prompt's pairs are chosen: by the scores alone, among nearly equal scores by length, or against the answers of
/// an earlier model; or no pairs, but the good answers.
enum class PairRule { kExtremes, kLengthControlled, kAnchored, kPositive };
/// How sure a pair's order is: always, or as far as two models in a row rank the answers alike.
enum class SoftLabels { kNone, kCream };
/// Whose answers the rule `anchored` rejects.
enum class Anchor { kM0, kM1 };
/// The learning rate after warm-up.
enum class Schedule { kCosine, kConstant };
/// Where DPO's reference log-probabilities come from: recorded while sampling, or the trainer's own pass; kAuto: as
/// ReferenceOf says.
enum class Reference { kAuto, kSampler, kTrainer };
/// The loss of a preference pair.
enum class PairLoss { kSigmoid, kIpo };
/// Which seed rows are trained on beside a round's pairs.
enum class Mix { kNone, kEft, kIft, kBoth };
/// Who starts the workers and the trainer.
enum class LauncherKind { kLocal, kSlurm, kNone };
/// What workers and trainers compute on.
enum class Device { kCpu, kCuda };
/// How weights are held while they are computed with; kAuto: float32 on processors, bfloat16 on CUDA.
enum class Dtype { kAuto, kFloat32, kBFloat16 };
/// What of a model a training rank holds only a part of (parameters.h of the trainer).
enum class Sharding { kNone, kOptimizer, kFull };
enum class ActivationCheckpointing { kNone, kBlock };
/// Matrices of a block that adapters can change, by Hugging Face's names.
enum class LoraTarget { kQuery, kKey, kValue, kOutput, kGate, kUp, kDown };
/// What a job with adapters saves: the model with them merged in, or the adapters alone.
enum class LoraSave { kMerged, kAdapter };
/// Whether calls are encrypted and callers must show keys.
enum class Security { kTls, kOff };
/// Binding and oversubscription of the ranks.
enum class LauncherProfile { kLaptop, kCluster };

template <class E>
using EnumTable = std::span<const std::pair<E, std::string_view>>;

/// The spellings of an enumeration's values, in the order the documentation lists them.
EnumTable<SpecialTokensInText> NamesOf(SpecialTokensInText);
EnumTable<CutCandidates> NamesOf(CutCandidates);
EnumTable<VerdictKind> NamesOf(VerdictKind);
EnumTable<JudgeVerdict> NamesOf(JudgeVerdict);
EnumTable<PairRule> NamesOf(PairRule);
EnumTable<Anchor> NamesOf(Anchor);
EnumTable<SoftLabels> NamesOf(SoftLabels);
EnumTable<Schedule> NamesOf(Schedule);
EnumTable<Reference> NamesOf(Reference);
EnumTable<PairLoss> NamesOf(PairLoss);
EnumTable<Mix> NamesOf(Mix);
EnumTable<LauncherKind> NamesOf(LauncherKind);
EnumTable<LauncherProfile> NamesOf(LauncherProfile);
EnumTable<Device> NamesOf(Device);
EnumTable<Dtype> NamesOf(Dtype);
EnumTable<Sharding> NamesOf(Sharding);
EnumTable<ActivationCheckpointing> NamesOf(ActivationCheckpointing);
EnumTable<LoraTarget> NamesOf(LoraTarget);
EnumTable<LoraSave> NamesOf(LoraSave);
EnumTable<Security> NamesOf(Security);

/// The spelling of `value`.
template <class E>
std::string_view NameOf(E value) {
  for (const auto& [each, name] : NamesOf(E{}))
    if (each == value) return name;
  return "?";
}

/// The value that is spelled so.
template <class E>
std::optional<E> Find(std::string_view name) {
  for (const auto& [each, spelling] : NamesOf(E{}))
    if (spelling == name) return each;
  return std::nullopt;
}

}  // namespace srlm::config
