// The words of a judgement without its verdict: what a lesson in judging teaches to say before the score.
#pragma once

#include <string>
#include <string_view>

namespace srlm::data {

struct Justification {
  std::string text;        // empty when there is none that can be taught
  std::string_view wrong;  // then why: no_justification, justification_cut, score_inside
};

/// What a model wrote, without its scores: each verdict is cut, with marks around it and a label of one or two words
/// before it ("Final score: 4"); what else its line says stays when it has three words. `cut`: the text ended at its
/// token limit, and goes back to its last whole sentence. Fewer than three words are none.
Justification TakeJustification(std::string_view judgement, bool cut);

/// A justification that came with a score. A verdict in it that says the same is cut; score_inside when it says another
/// one, for the lesson would hold both. It may be short or empty: a lesson of the score alone.
Justification CheckJustification(std::string_view justification, int score);

/// Asks for the justification of a score that is given.
std::string AskForJustification(std::string_view prompt, std::string_view response, int score);

}  // namespace srlm::data
