// The words of a judgement without its verdict: what a lesson in judging teaches to say before the score.
#pragma once

#include <string>
#include <string_view>

namespace srlm::data {

struct Justification {
  std::string text;        // empty when there is none that can be taught
  std::string_view wrong;  // then why: no_justification, justification_cut, score_inside
};

/// Lines that give a score leave, and space around the rest. `cut`: the text ended at its token limit, and goes back to
/// its last whole sentence. Fewer than three words are none. A score that is still said inside a line is refused, for
/// the lesson would hold two.
Justification TakeJustification(std::string_view judgement, bool cut);

/// Asks for the justification of a score that is given.
std::string AskForJustification(std::string_view prompt, std::string_view response, int score);

}  // namespace srlm::data
