//! What is said where no passage supports an answer.

/// Sentences in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentences {
    /// Said instead of an answer, when no passage was found.
    pub(super) nothing_found: &'static str,
    /// Said below an answer that cites none of the passages that it was given.
    pub(super) nothing_cited: &'static str,
}

const ENGLISH: Sentences = Sentences {
    nothing_found: "I found nothing about this in the documents.",
    nothing_cited: "No passage of the documents is cited for this answer.",
};
const GERMAN: Sentences = Sentences {
    nothing_found: "Dazu habe ich in den Dokumenten nichts gefunden.",
    nothing_cited: "Für diese Antwort ist keine Stelle der Dokumente belegt.",
};
const FRENCH: Sentences = Sentences {
    nothing_found: "Je n’ai rien trouvé à ce sujet dans les documents.",
    nothing_cited: "Aucun passage des documents n’est cité pour cette réponse.",
};
const SPANISH: Sentences = Sentences {
    nothing_found: "No he encontrado nada sobre esto en los documentos.",
    nothing_cited: "Esta respuesta no cita ningún pasaje de los documentos.",
};
const ITALIAN: Sentences = Sentences {
    nothing_found: "Non ho trovato nulla su questo nei documenti.",
    nothing_cited: "Questa risposta non cita alcun passo dei documenti.",
};
const DUTCH: Sentences = Sentences {
    nothing_found: "Hierover heb ik in de documenten niets gevonden.",
    nothing_cited: "Voor dit antwoord is geen passage uit de documenten aangehaald.",
};
const PORTUGUESE: Sentences = Sentences {
    nothing_found: "Não encontrei nada sobre isto nos documentos.",
    nothing_cited: "Esta resposta não cita nenhuma passagem dos documentos.",
};

/// The beginnings of what tenants call each language: in English, in itself, or by its code.
const LANGUAGES: [(&[&str], Sentences); 6] = [
    (&["german", "deutsch", "de"], GERMAN),
    (&["french", "français", "francais", "fr"], FRENCH),
    (&["spanish", "español", "espanol", "castellano", "es"], SPANISH),
    (&["italian", "italiano", "it"], ITALIAN),
    (&["dutch", "nederlands", "nl"], DUTCH),
    (&["portuguese", "português", "portugues", "pt"], PORTUGUESE),
];

/// The sentences in a language as a tenant's settings name it; English where they name none of ours.
pub(super) fn sentences(language: Option<&str>) -> Sentences {
    let name = language.unwrap_or_default().to_lowercase();
    let words = || name.split(|c: char| !c.is_alphabetic());
    let named = |names: &[&str]| words().any(|word| names.contains(&word));
    LANGUAGES
        .iter()
        .find(|(names, _)| named(names))
        .map_or(ENGLISH, |(_, sentences)| *sentences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_names_and_codes() {
        for (name, sentences) in [
            ("German", GERMAN),
            ("Deutsch", GERMAN),
            ("de-CH", GERMAN),
            ("Swiss German (formal)", GERMAN),
            ("FRANÇAIS", FRENCH),
            ("Español", SPANISH),
            ("Italiano", ITALIAN),
            ("Nederlands", DUTCH),
            ("Brazilian Portuguese", PORTUGUESE),
            ("English", ENGLISH),
            ("Klingon", ENGLISH),
            ("Germanic runes", ENGLISH),
        ] {
            assert_eq!(super::sentences(Some(name)), sentences, "{name}");
        }
        assert_eq!(sentences(None), ENGLISH);
    }
}
