#include "common/config/enums.h"

#include <array>

namespace srlm::config {
namespace {

template <class E, size_t n>
using Names = std::array<std::pair<E, std::string_view>, n>;

constexpr Names<SpecialTokensInText, 2> kSpecialTokens = {
    {{SpecialTokensInText::kText, "text"}, {SpecialTokensInText::kParse, "parse"}}};
constexpr Names<CutCandidates, 2> kCutCandidates = {{{CutCandidates::kDrop, "drop"}, {CutCandidates::kKeep, "keep"}}};
constexpr Names<VerdictKind, 2> kVerdicts = {
    {{VerdictKind::kSampled, "sampled"}, {VerdictKind::kExpected, "expected"}}};
constexpr Names<JudgeVerdict, 4> kJudgeVerdicts = {{{JudgeVerdict::kSampled, "sampled"},
                                                    {JudgeVerdict::kDigit, "digit"},
                                                    {JudgeVerdict::kExpected, "expected"},
                                                    {JudgeVerdict::kProgram, "program"}}};
constexpr Names<PairRule, 4> kPairRules = {{{PairRule::kExtremes, "extremes"},
                                            {PairRule::kLengthControlled, "length-controlled"},
                                            {PairRule::kAnchored, "anchored"},
                                            {PairRule::kPositive, "positive"}}};
constexpr Names<SoftLabels, 2> kSoftLabels = {{{SoftLabels::kNone, "none"}, {SoftLabels::kCream, "cream"}}};
constexpr Names<Anchor, 2> kAnchors = {{{Anchor::kM0, "M0"}, {Anchor::kM1, "M1"}}};
constexpr Names<Schedule, 2> kSchedules = {{{Schedule::kCosine, "cosine"}, {Schedule::kConstant, "constant"}}};
constexpr Names<Reference, 3> kReferences = {
    {{Reference::kAuto, "auto"}, {Reference::kSampler, "sampler"}, {Reference::kTrainer, "trainer"}}};
constexpr Names<PairLoss, 2> kPairLosses = {{{PairLoss::kSigmoid, "sigmoid"}, {PairLoss::kIpo, "ipo"}}};
constexpr Names<Mix, 4> kMixes = {{{Mix::kNone, "none"}, {Mix::kEft, "eft"}, {Mix::kIft, "ift"}, {Mix::kBoth, "both"}}};
constexpr Names<LauncherKind, 3> kLaunchers = {
    {{LauncherKind::kLocal, "local"}, {LauncherKind::kSlurm, "slurm"}, {LauncherKind::kNone, "none"}}};
constexpr Names<LauncherProfile, 2> kProfiles = {
    {{LauncherProfile::kLaptop, "laptop"}, {LauncherProfile::kCluster, "cluster"}}};
constexpr Names<Sharding, 3> kShardings = {
    {{Sharding::kNone, "none"}, {Sharding::kOptimizer, "optimizer"}, {Sharding::kFull, "full"}}};
constexpr Names<ActivationCheckpointing, 2> kActivationCheckpointings = {
    {{ActivationCheckpointing::kNone, "none"}, {ActivationCheckpointing::kBlock, "block"}}};
constexpr Names<LoraTarget, 7> kLoraTargets = {{{LoraTarget::kQuery, "q_proj"},
                                                {LoraTarget::kKey, "k_proj"},
                                                {LoraTarget::kValue, "v_proj"},
                                                {LoraTarget::kOutput, "o_proj"},
                                                {LoraTarget::kGate, "gate_proj"},
                                                {LoraTarget::kUp, "up_proj"},
                                                {LoraTarget::kDown, "down_proj"}}};
constexpr Names<LoraSave, 2> kLoraSaves = {{{LoraSave::kMerged, "merged"}, {LoraSave::kAdapter, "adapter"}}};
constexpr Names<Device, 2> kDevices = {{{Device::kCpu, "cpu"}, {Device::kCuda, "cuda"}}};
constexpr Names<Dtype, 3> kDtypes = {
    {{Dtype::kAuto, "auto"}, {Dtype::kFloat32, "float32"}, {Dtype::kBFloat16, "bfloat16"}}};
constexpr Names<Security, 2> kSecurities = {{{Security::kTls, "tls"}, {Security::kOff, "off"}}};

}  // namespace

EnumTable<SpecialTokensInText> NamesOf(SpecialTokensInText) { return kSpecialTokens; }
EnumTable<CutCandidates> NamesOf(CutCandidates) { return kCutCandidates; }
EnumTable<VerdictKind> NamesOf(VerdictKind) { return kVerdicts; }
EnumTable<JudgeVerdict> NamesOf(JudgeVerdict) { return kJudgeVerdicts; }
EnumTable<PairRule> NamesOf(PairRule) { return kPairRules; }
EnumTable<Anchor> NamesOf(Anchor) { return kAnchors; }
EnumTable<SoftLabels> NamesOf(SoftLabels) { return kSoftLabels; }
EnumTable<Schedule> NamesOf(Schedule) { return kSchedules; }
EnumTable<Reference> NamesOf(Reference) { return kReferences; }
EnumTable<PairLoss> NamesOf(PairLoss) { return kPairLosses; }
EnumTable<Mix> NamesOf(Mix) { return kMixes; }
EnumTable<LauncherKind> NamesOf(LauncherKind) { return kLaunchers; }
EnumTable<LauncherProfile> NamesOf(LauncherProfile) { return kProfiles; }
EnumTable<Device> NamesOf(Device) { return kDevices; }
EnumTable<Dtype> NamesOf(Dtype) { return kDtypes; }
EnumTable<Sharding> NamesOf(Sharding) { return kShardings; }
EnumTable<ActivationCheckpointing> NamesOf(ActivationCheckpointing) { return kActivationCheckpointings; }
EnumTable<LoraTarget> NamesOf(LoraTarget) { return kLoraTargets; }
EnumTable<LoraSave> NamesOf(LoraSave) { return kLoraSaves; }
EnumTable<Security> NamesOf(Security) { return kSecurities; }

}  // namespace srlm::config
