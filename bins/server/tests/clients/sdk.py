"""The official Python package, unmodified, as its readme uses it."""

import openai

from house import FIRST, SECOND, check_citations, check_first, check_second

from upstream import MODEL


def client_of(house, token, **options):
    return openai.OpenAI(base_url=f"{house.url}/v1", api_key=token, **options)


def ask(tenant, client, messages, **options):
    """The text, the citations and the usage of a streamed answer."""
    stream = client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}, **options
    )
    text, grounds, usage, reasons, ids = "", None, None, [], set()
    for chunk in stream:
        ids.add((chunk.id, chunk.created))
        assert tenant["foreign"] not in chunk.to_json(), chunk
        if not chunk.choices:
            usage = chunk.usage
            continue
        (choice,) = chunk.choices
        text += choice.delta.content or ""
        grounds = getattr(choice.delta, "tenantry", grounds)
        if choice.finish_reason:
            reasons.append(choice.finish_reason)
    assert reasons == ["stop"] and len(ids) == 1, (reasons, ids)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (120, 12, 132), usage
    assert usage.tenantry == {"estimated": False}, usage
    assert grounds["supported"] is True
    check_citations(tenant, grounds["citations"])
    return text


def converse(house, tenant):
    client = client_of(house, tenant["token"])
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "tenantry"
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": FIRST}]
    text = ask(tenant, client, messages)
    check_first(tenant, text)
    messages += [{"role": "assistant", "content": text}, {"role": "user", "content": SECOND}]
    check_second(tenant, ask(tenant, client, messages))
    # In one piece, and on with the message as the package gave it.
    answer = client.chat.completions.create(model=MODEL, messages=messages[:2], temperature=0.5, user="u")
    message = answer.choices[0].message
    check_first(tenant, message.content)
    check_citations(tenant, message.tenantry["citations"])
    assert answer._request_id and message.refusal is None
    answer = client.chat.completions.create(model=MODEL, messages=[*messages[:2], message, messages[-1]])
    check_second(tenant, answer.choices[0].message.content)
    # The helper that adds chunks up.
    with client.chat.completions.stream(model=MODEL, messages=messages[:2]) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    check_first(tenant, message.content)
    check_citations(tenant, message.tenantry["citations"])
    # Without the tenant's documents, and with them narrowed to none.
    for retrieval in (False, {"filter": {"lang": "none"}}):
        extension = {"tenantry": {"retrieval": retrieval}}
        answer = client.chat.completions.create(model=MODEL, messages=messages[:2], extra_body=extension)
        assert answer.choices[0].message.tenantry == {"citations": [], "supported": False}
        assert tenant["marker"] not in answer.to_json()


def expect(kind, status, code, param, attempt):
    try:
        attempt()
    except openai.APIStatusError as error:
        assert type(error) is kind, repr(error)
        assert (error.status_code, error.code, error.param) == (status, code, param), repr(error)
        assert error.request_id and error.message, repr(error)
        return error
    raise AssertionError(f"no {kind.__name__}")


def fail(house, upstream, tenant):
    client, question = client_of(house, tenant["token"]), [{"role": "user", "content": FIRST}]
    create = client.chat.completions.create
    stranger = client_of(house, "sk-wrong").chat.completions.create
    expect(openai.AuthenticationError, 401, "invalid_api_key", None, lambda: stranger(model=MODEL, messages=question))
    unknown = {"model": "gpt-9", "messages": question}
    expect(openai.NotFoundError, 404, "model_not_found", "model", lambda: create(**unknown))
    expect(openai.NotFoundError, 404, "model_not_found", "model", lambda: create(stream=True, **unknown))
    expect(openai.NotFoundError, 404, "model_not_found", "model", lambda: client.models.retrieve("gpt/9"))
    hot = {"model": MODEL, "messages": question, "temperature": 3}
    expect(openai.BadRequestError, 400, "invalid_request", "temperature", lambda: create(**hot))
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    expect(openai.BadRequestError, 400, "unsupported_parameter", "tools", lambda: create(model=MODEL, messages=question, tools=tools))
    odd = {"model": MODEL, "messages": question, "extra_body": {"x": 1}}
    expect(openai.BadRequestError, 400, "unknown_parameter", "x", lambda: create(**odd))
    # What lasts is not tried again, although it is a 5xx.
    refused = {"model": MODEL, "messages": [{"role": "user", "content": "python: no access to the vault"}]}
    expect(openai.InternalServerError, 502, "llm_unauthorized", None, lambda: create(**refused))
    assert upstream.asked("python: no access") == 1
    text = ""
    try:
        for chunk in create(model=MODEL, messages=[{"role": "user", "content": "break off the vault"}], stream=True):
            text += chunk.choices[0].delta.content or ""
            assert chunk.choices[0].finish_reason is None
    except openai.APIError as error:
        assert type(error) is openai.APIError and error.code, repr(error)
    else:
        raise AssertionError("an answer that broke off passed for a whole one")
    assert text.startswith("To \"break off"), text


def wait_in_turn(house):
    """One answer at a time: the second is refused, and comes once the first has been left."""
    stalled = [{"role": "user", "content": "stall the vault"}]
    options = {"model": MODEL, "messages": stalled, "extra_body": {"tenantry": {"retrieval": False}}}
    held = client_of(house, house.narrow).chat.completions.create(stream=True, **options)
    next(iter(held))
    short = {"model": MODEL, "messages": [{"role": "user", "content": FIRST}]}
    impatient = client_of(house, house.narrow, max_retries=0)
    refused = lambda: impatient.chat.completions.create(**short)
    error = expect(openai.RateLimitError, 429, "rate_limit_exceeded", None, refused)
    assert int(error.response.headers["retry-after"]) >= 1
    held.close()
    patient = client_of(house, house.narrow, max_retries=5)
    assert patient.chat.completions.create(**short).choices[0].finish_reason == "stop"
