"""A MODEL + A CLIP -> AN EXPLANATION: how the prediction changes when the clip is changed.

    explanation = explain_clip(model, waveform, prediction, "happy")     # an `overtone.explanation.Explanation`

Three kinds of parts are changed: time spans (`time_spans`), frequency bands (`band_changes`) and properties of the
speech (`speech_properties`). The contribution of a part is the change of the log-odds of the class. Any exported model
can be explained, as only its waveform input is changed. Each part is changed in at least two ways, whose artefacts
differ: a change of the prediction that only one of them causes may be due to an artefact, and is not reliable.

To add a property, write its changes, and add a row to `PROPERTIES` of `speech_properties`.
"""
